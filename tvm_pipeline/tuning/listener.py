"""What a tuning session tells whoever listens, and how it hears that it shall end."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from tvm_pipeline.tuning.task import Best


@dataclass(frozen=True)
class Trial:
    """One trial.

    :ivar number: counts from 1 in this session.
    :ivar layer: the layer's descriptor.
    :ivar seconds: None where the candidate failed, with ``error`` saying why.
    :ivar best: the layer's shortest time so far; None before the first success.
    """

    number: int
    layer: str
    seconds: float | None
    error: str | None
    best: float | None

    @property
    def is_best(self) -> bool:
        """Whether no trial of the layer was faster."""
        return self.seconds is not None and self.seconds == self.best


@dataclass(frozen=True)
class Progress:
    """How far a session has come.

    :ivar total: trials in all; None when the session runs against the clock.
    :ivar seconds: since its start.
    """

    done: int
    total: int | None
    seconds: float
    detail: str


class Listener(Protocol):
    """Hears of what happens, in the session's thread."""

    @property
    def is_interrupted(self) -> bool:
        """Whether the session shall end, with whole trials only."""
        ...

    def on_trial(self, trial: Trial) -> None:
        """A trial is over, and on disk unless its board was lost."""
        ...

    def on_improvement(self, bests: Sequence[Best], reference_seconds: float | None) -> None:
        """A trial is the fastest of its layer: the outcome as it now is."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """The session has come so far."""
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
