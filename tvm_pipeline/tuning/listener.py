"""What a tuning session tells whoever listens, and how it hears that it shall end."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from mobilenet_tvm.base.events import Progress, Trial
from tvm_pipeline.tuning.task import Best


class Listener(Protocol):
    """Hears of what happens, in the session's thread."""

    @property
    def is_interrupted(self) -> bool:
        """Whether the session shall end, with whole trials only."""
        ...

    def tell(self, event: Trial | Progress) -> None:
        """A trial is over, and on disk unless its board was lost; or the session has come so far."""
        ...

    def improve(self, bests: Sequence[Best], reference_seconds: float | None) -> None:
        """A trial was the fastest of its layer: the outcome as it now is."""
        ...


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
