"""What measures kernels, in a process of its own; it guards its measurements with a reference kernel."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tvm

from tvm_pipeline.backends.backend import Answer
from tvm_pipeline.hardware.stored import as_stored

TOLERANCE = 1.05
"""A measurement counts as clean while the reference kernel is at most this much slower than at its best."""
ATTEMPTS = 3
REPEATS = 5
REPEAT_SECONDS = 0.012
LARGE_WEIGHT_BYTES = 64 * 1024
COLD_BYTES = 24 * 1024 * 1024
WEIGHT = 1
"""Of a kernel's arguments: the input, its weights, what the epilogue needs, the output."""


@dataclass(frozen=True)
class BuiltKernel:
    """A shared object whose ``main`` takes tensors of these shapes and dtypes, the output last."""

    artifact: str
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]

    def arrays(self) -> list[np.ndarray]:
        """Seeded normally distributed arguments."""
        random = np.random.default_rng(0)
        arrays = [random.standard_normal(shape, dtype="float32") for shape in self.shapes]
        return [as_stored(array, dtype) for array, dtype in zip(arrays, self.dtypes, strict=True)]

    @property
    def weight_bytes(self) -> int:
        """Of the kernel's weights, which lie behind its input; 0 where it has none."""
        is_weighted = len(self.shapes) > WEIGHT + 1
        return math.prod(self.shapes[WEIGHT]) * np.dtype(self.dtypes[WEIGHT]).itemsize if is_weighted else 0


@dataclass(frozen=True)
class RunRequest:
    """A kernel to time, and one to compare with."""

    kernel: BuiltKernel
    reference: BuiltKernel


class Timed(Protocol):
    """A loaded kernel."""

    def seconds(self, repeat: int = REPEATS, share: int = 1) -> tuple[float, ...]:
        """Seconds of one call, one value per repeat; a ``share`` of 4 takes a fourth of the time."""
        ...


def calls_per_repeat(seconds: Sequence[float]) -> int:
    """So many that their time can be told, for a kernel whose single calls took so long."""
    return max(1, int(REPEAT_SECONDS / max(min(seconds), 1e-7)))


class _Kernel:
    """A kernel that is timed as a network calls it: its input has just been written, its weights have long left the
    second-level cache. So calls go round several copies of large weights."""

    def __init__(self, kernel: BuiltKernel) -> None:
        self._module = tvm.runtime.load_module(kernel.artifact)
        self._main = self._module["main"]
        arrays = kernel.arrays()
        arguments = [tvm.runtime.tensor(array) for array in arrays]
        copies = _copies_of(kernel.weight_bytes)
        weights = [arguments[WEIGHT], *(tvm.runtime.tensor(arrays[WEIGHT]) for _ in range(copies - 1))]
        self._arguments = [(*arguments[:WEIGHT], weight, *arguments[WEIGHT + 1 :]) for weight in weights]
        self._main(*arguments)
        self._number = calls_per_repeat(self._evaluate(number=1, repeat=2))

    def _evaluate(self, number: int, repeat: int) -> tuple[float, ...]:
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

    def __init__(self, load: Callable[[BuiltKernel], Timed] = _Kernel) -> None:
        self._load = load
        self._reference: Timed | None = None
        self._recent: deque[float] = deque(maxlen=200)

    def measure(self, request: RunRequest) -> Answer:
        """Times a kernel up to three times until the reference says that the machine was quiet around it."""
        try:
            if self._reference is None:
                self._reference = self._load(request.reference)
            kernel = self._load(request.kernel)
            answers = [self._attempt(kernel)]
            while not answers[-1].clean and len(answers) < ATTEMPTS:
                answers.append(self._attempt(kernel))
            return min(answers, key=lambda answer: (not answer.clean, answer.reference_seconds or 0.0))
        except Exception as error:
            lines = str(error).strip().splitlines()
            return Answer(error=f"{type(error).__name__}: {lines[-1] if lines else ''}")

    def _attempt(self, kernel: Timed) -> Answer:
        before = self._time_reference()
        seconds = kernel.seconds()
        after = self._time_reference()
        slowest = max(before, after)
        return Answer(seconds, reference_seconds=slowest, clean=slowest <= TOLERANCE * min(self._recent))

    def _time_reference(self) -> float:
        assert self._reference is not None
        seconds = sorted(self._reference.seconds(repeat=3, share=4))[1]
        self._recent.append(seconds)
        return seconds
