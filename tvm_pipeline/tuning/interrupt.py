"""An interrupt that waits for its turn: it never cuts a trial, a database line or a call into TVM in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deferred_interrupt() -> Iterator[threading.Event]:
    """Within, the first SIGINT or SIGTERM sets the event and nothing else; the caller asks between its steps.

    Raising from the handler is not enough: the exception may come up inside a callback of TVM's, which turns it into
    an error of its own, or between a measurement and its booking.
    """
    asked = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda _number, _frame: asked.set())
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
