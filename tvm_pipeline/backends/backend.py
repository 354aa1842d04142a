"""What a session asks of whatever tells it how long a candidate takes, and how candidates go through it."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.conditions import Conditions
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules.space import Choice

Candidate = tuple[Choice, Schedule]


@dataclass(frozen=True)
class Setup:
    """What a backend is opened for.

    :ivar threads: that a kernel may use.
    :ivar device: the boards that measure; None for everything that needs none.
    """

    target: AnyTarget
    threads: int
    device: Device | None
    warn: Callable[[str], None]


@dataclass(frozen=True)
class Answer:
    """What a backend says of a candidate.

    :ivar seconds: per call, one value per repeat; none where the candidate failed.
    :ivar error: why there are none.
    :ivar reference_seconds: the reference kernel's, None where nothing was measured.
    :ivar clean: False where the machine was never quiet meanwhile.
    :ivar lost: the machine went away, so that nothing is known about the candidate.
    """

    seconds: tuple[float, ...] = ()
    error: str | None = None
    reference_seconds: float | None = None
    clean: bool = True
    lost: bool = False


Answers = Generator[tuple[Choice, Schedule, Answer], None, None]


class BuildFailed(Exception):
    """A candidate that cannot be built; one line says why."""


class Backend(Protocol):
    """Builds candidates and says what they take; a context, and what it started ends with it."""

    @property
    def conditions(self) -> Conditions | None:
        """Where its seconds come from; None: no log may hold them."""
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

    def build(self, schedule: Schedule) -> Path:
        """The path of what was built.

        :raises BuildFailed: what went wrong.
        """
        ...

    def run(self, artifact: Path, layer: Layer) -> Answer:
        """Seconds of one call of the kernel. The artifact is deleted."""
        ...


def ask(backend: Backend, schedule: Schedule, layer: Layer) -> Answer:
    """What a backend says of one candidate, built and run."""
    return _run(backend, lambda: backend.build(schedule), layer)


def _run(backend: Backend, build: Callable[[], Path], layer: Layer) -> Answer:
    try:
        return backend.run(build(), layer)
    except BuildFailed as error:
        return Answer(error=str(error))


def answers(candidates: Sequence[Candidate], layer: Layer, backend: Backend) -> Answers:
    """Each candidate with what the backend says of it, in the order of the answers.

    A caller that has heard enough closes the iterator: what has begun by then is waited for, and is lost.
    """
    return _in_parallel(candidates, layer, backend) if backend.lanes > 1 else _in_turn(candidates, layer, backend)


def _in_turn(candidates: Sequence[Candidate], layer: Layer, backend: Backend) -> Answers:
    """The next one is built while one runs, or after it where that would disturb."""
    with ThreadPoolExecutor(1) as builder:  # leaving it waits for the build on its way
        builds = (builder.submit(backend.build, schedule) for _, schedule in candidates)  # each begins when asked for
        following = next(builds, None)
        for choice, schedule in candidates:
            assert following is not None
            build = following
            wait([build])
            following = None if backend.overlaps else next(builds, None)
            answer = _run(backend, build.result, layer)
            following = next(builds, None) if backend.overlaps else following
            yield choice, schedule, answer


def _in_parallel(candidates: Sequence[Candidate], layer: Layer, backend: Backend) -> Answers:
    with ThreadPoolExecutor(backend.lanes + 1) as pool:  # one more, which builds while all lanes run
        futures = {pool.submit(ask, backend, candidate[1], layer): candidate for candidate in candidates}
        try:
            for future in as_completed(futures):
                yield *futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()
