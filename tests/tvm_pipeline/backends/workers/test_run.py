"""A reference kernel says whether the machine was quiet while another was timed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tvm_pipeline.backends.workers.run import ATTEMPTS, REPEATS, BuiltKernel, Measurer, RunRequest

KERNEL = BuiltKernel("kernel.so", ((1, 4), (4, 8), (1, 8)), ("float32", "float16", "float32"))
REFERENCE = BuiltKernel("reference.so", ((1, 4), (1, 4)), ("float32", "float32"))
REQUEST = RunRequest(KERNEL, REFERENCE)


class _Timed:
    """Takes what it is told to take, a value per call."""

    def __init__(self, seconds: Iterator[float]) -> None:
        self._seconds = seconds

    def seconds(self, repeat: int = REPEATS, share: int = 1) -> tuple[float, ...]:
        return (next(self._seconds),) * repeat


def _measurer(reference: Sequence[float], kernel: Sequence[float]) -> tuple[Measurer, list[str]]:
    loaded: list[str] = []

    def load(built: BuiltKernel) -> _Timed:
        loaded.append(built.artifact)
        return _Timed(iter(reference if built is REFERENCE else kernel))

    return Measurer(load), loaded


def test_a_quiet_machine_is_asked_once() -> None:
    measurer, loaded = _measurer([1.0, 1.01, 1.02, 1.0], [5.0, 6.0])
    answer = measurer.measure(REQUEST)
    assert (answer.seconds, answer.clean, answer.reference_seconds) == ((5.0,) * REPEATS, True, 1.01)
    assert measurer.measure(REQUEST).clean
    assert loaded == ["reference.so", "kernel.so", "kernel.so"], "the reference stays"


def test_a_noisy_moment_is_measured_again() -> None:
    measurer, _ = _measurer([1.0, 1.5, 1.0, 1.0], [9.0, 5.0])
    answer = measurer.measure(REQUEST)
    assert (answer.seconds[0], answer.clean) == (5.0, True)


def test_of_noisy_moments_the_least_noisy_counts() -> None:
    measurer, _ = _measurer([1.0, 1.5, 1.2, 1.3, 1.4, 1.5], [9.0, 5.0, 7.0])
    answer = measurer.measure(REQUEST)
    assert (answer.seconds[0], answer.clean, answer.reference_seconds) == (5.0, False, 1.3)
    assert ATTEMPTS == 3


def test_a_kernel_that_does_not_load_is_an_answer() -> None:
    def refuse(built: BuiltKernel) -> _Timed:
        raise RuntimeError(f"first line\n{built.artifact} is cut")

    answer = Measurer(refuse).measure(REQUEST)
    assert (answer.seconds, answer.error) == ((), "RuntimeError: reference.so is cut")


@pytest.mark.parametrize(("kernel", "weight_bytes"), [(KERNEL, 4 * 8 * 2), (REFERENCE, 0)])
def test_arguments_are_what_the_kernel_takes(kernel: BuiltKernel, weight_bytes: int) -> None:
    arrays = kernel.arrays()
    assert [(array.shape, str(array.dtype)) for array in arrays] == list(zip(kernel.shapes, kernel.dtypes, strict=True))
    assert kernel.weight_bytes == weight_bytes
