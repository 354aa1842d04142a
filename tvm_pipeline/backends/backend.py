"""What a session asks of whatever tells it how long a candidate takes."""

from pathlib import Path
from typing import Protocol, Self

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.workers.run import RunAnswer


class Backend(Protocol):
    """Builds candidates and says what they take; a context, and what it started ends with it."""

    @property
    def record(self) -> str:
        """``measured`` or ``modelled``: what the seconds are."""
        ...

    @property
    def is_repeatable(self) -> bool:
        """Whether a second answer for the same candidate would be the same: then none is asked for."""
        ...

    @property
    def overlaps(self) -> bool:
        """Whether building disturbs running, so that they must take turns."""
        ...

    @property
    def lanes(self) -> int:
        """How many candidates it runs at once."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def build(self, schedule: Schedule) -> tuple[Path, str | None]:
        """The path of what was built, and what went wrong if anything did."""
        ...

    def run(self, artifact: Path, layer: Layer) -> RunAnswer:
        """Seconds of one call of the kernel. The artifact is deleted."""
        ...
