"""What a tuning session tells its caller while it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """One trial that is on disk.

    :ivar number: counts from 1 in this session.
    :ivar seconds: None where the candidate failed, with ``error`` saying why.
    :ivar best: the layer's shortest time so far; None before the first success.
    """

    number: int
    layer: str
    seconds: float | None
    error: str | None
    best: float | None


@dataclass(frozen=True)
class Progress:
    """``total`` is None when the session runs against the clock."""

    done: int
    total: int | None
    seconds: float
    detail: str
