"""What an engine's process is told, a JSON line each, and what it answers."""

from __future__ import annotations

from pathlib import Path

from mobilenet_tvm.base.document import Document


class Load(Document):
    """Load a model to run with so many threads, in that dtype."""

    engine: str
    model: Path
    threads: int
    dtype: str


class Compute(Document):
    """Compute the inputs of a ``reference.npz``, and write what comes out in the same form."""

    inputs: Path
    outputs: Path


class Time(Document):
    """Time inferences of a ``reference.npz``'s first input.

    :ivar warmup: how many come first and do not count.
    :ivar seconds: for so long, and at least ``minimum`` times.
    """

    inputs: Path
    warmup: int
    seconds: float
    minimum: int


class Done(Document):
    """The answer.

    :ivar error: what went wrong.
    :ivar times_ns: of each inference, in nanoseconds.
    """

    error: str | None = None
    times_ns: tuple[int, ...] = ()
