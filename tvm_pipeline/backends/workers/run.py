"""The process that measures kernels; it guards its measurements with a reference kernel."""

import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mobilenet_tvm.base.protocol import die_with_parent

TOLERANCE = 1.05
"""A measurement counts as clean while the reference kernel is at most this much slower than at its best."""
ATTEMPTS = 3
REPEATS = 5
REPEAT_SECONDS = 0.012
LARGE_WEIGHT_BYTES = 64 * 1024
COLD_BYTES = 24 * 1024 * 1024
Shapes = tuple[tuple[int, ...], ...]
_WEIGHT = 1  # of a kernel's arguments: the input, its weights, what the epilogue needs, the output


@dataclass(frozen=True)
class RunRequest:
    """A shared object whose ``main`` takes tensors of these shapes; ``reference`` is one to compare with.

    :ivar dtypes: of the tensors; empty where all are float32.
    """

    artifact: str
    shapes: tuple[tuple[int, ...], ...]
    reference: str
    reference_shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...] = ()
    reference_dtypes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunAnswer:
    """Seconds per call, one value per repeat; ``clean`` is False where the machine was never quiet meanwhile.
    ``reference_seconds`` are the reference kernel's, None where nothing was measured. ``lost``: the machine went away,
    so that nothing is known about the kernel."""

    seconds: tuple[float, ...]
    reference_seconds: float | None
    clean: bool
    error: str | None = None
    lost: bool = False


class Timed(Protocol):
    """A loaded kernel."""

    def seconds(self, repeat: int = REPEATS, share: int = 1) -> tuple[float, ...]:
        """Seconds of one call, one value per repeat; a ``share`` of 4 takes a fourth of the time."""
        ...


def random_arrays(shapes: Sequence[Sequence[int]], dtypes: Sequence[str] = ()) -> list[Any]:
    """Seeded normally distributed arrays; ``dtypes`` as in RunRequest."""
    import numpy as np

    random = np.random.default_rng(0)
    arrays = [random.standard_normal(tuple(shape), dtype="float32") for shape in shapes]
    return [array.astype(dtype) for array, dtype in zip(arrays, dtypes or ["float32"] * len(arrays), strict=True)]


class _Kernel:
    """A kernel that is timed as a network calls it: its input has just been written, its weights have long left the
    second-level cache. So calls go round several copies of large weights."""

    def __init__(self, artifact: str, shapes: Shapes, dtypes: tuple[str, ...] = ()) -> None:
        import tvm

        self._module = tvm.runtime.load_module(artifact)
        self._main = self._module["main"]
        arrays = random_arrays(shapes, dtypes)
        arguments = [tvm.runtime.tensor(array) for array in arrays]
        copies = _copies_of(arrays[_WEIGHT].nbytes) if len(arrays) > _WEIGHT + 1 else 1
        weights = [arguments[_WEIGHT], *(tvm.runtime.tensor(arrays[_WEIGHT]) for _ in range(copies - 1))]
        self._arguments = [(*arguments[:_WEIGHT], weight, *arguments[_WEIGHT + 1 :]) for weight in weights]
        self._main(*arguments)
        once = self._evaluate(number=1, repeat=2)
        self._number = max(1, int(REPEAT_SECONDS / max(min(once), 1e-7)))

    def _evaluate(self, number: int, repeat: int) -> tuple[float, ...]:
        import tvm

        if len(self._arguments) > 1:
            return tuple(self._go_round(number) for _ in range(repeat))
        evaluator = self._module.time_evaluator("main", tvm.cpu(), number=number, repeat=repeat)
        return tuple(float(second) for second in evaluator(*self._arguments[0]).results)

    def _go_round(self, number: int) -> float:
        rounds = -(-number // len(self._arguments))
        start = time.perf_counter()
        for _ in range(rounds):
            for arguments in self._arguments:
                self._main(*arguments)
        return (time.perf_counter() - start) / (rounds * len(self._arguments))

    def seconds(self, repeat: int = REPEATS, share: int = 1) -> tuple[float, ...]:
        return self._evaluate(max(1, self._number // share), repeat)


def _copies_of(weight_bytes: int) -> int:
    """Enough to exceed a second-level cache together; one where a call would be too short to be timed so."""
    return 1 if weight_bytes < LARGE_WEIGHT_BYTES else min(64, max(2, COLD_BYTES // weight_bytes))


class Measurer:
    """Keeps the reference kernel loaded and remembers how fast it has been."""

    def __init__(self, load: Callable[[str, Shapes, tuple[str, ...]], Timed] = _Kernel) -> None:
        self._load = load
        self._reference: Timed | None = None
        self._recent: deque[float] = deque(maxlen=200)

    def measure(self, request: RunRequest) -> RunAnswer:
        """Times a kernel up to three times until the reference says that the machine was quiet around it."""
        try:
            if self._reference is None:
                self._reference = self._load(request.reference, request.reference_shapes, request.reference_dtypes)
            kernel = self._load(request.artifact, request.shapes, request.dtypes)
            answers = []
            for _ in range(ATTEMPTS):
                answers.append(self._attempt(kernel))
                if answers[-1].clean:
                    break
            return min(answers, key=lambda answer: (not answer.clean, answer.reference_seconds or 0.0))
        except Exception as error:
            lines = str(error).strip().splitlines()
            return RunAnswer((), None, False, f"{type(error).__name__}: {lines[-1] if lines else ''}")

    def _attempt(self, kernel: Timed) -> RunAnswer:
        before = self._time_reference()
        seconds = kernel.seconds()
        after = self._time_reference()
        slowest = max(before, after)
        return RunAnswer(seconds, slowest, slowest <= TOLERANCE * min(self._recent))

    def _time_reference(self) -> float:
        assert self._reference is not None
        seconds = sorted(self._reference.seconds(repeat=3, share=4))[1]
        self._recent.append(seconds)
        return seconds


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import tvm  # noqa: F401

    from tvm_pipeline.backends.workers import run as run_worker
    from tvm_pipeline.backends.workers.process import serve_requests

    measurer: Any = run_worker.Measurer()
    serve_requests(measurer.measure)
