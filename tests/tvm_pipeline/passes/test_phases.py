"""The phases of a transposed convolution make what its definition says, along one axis."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tvm_pipeline.passes.phases import alike, filters_of, phases_along

WHOLE = phases_along(extent=1, results=1, kernel=1, stride=1, dilation=1, cropped=0)[0]
"""Of an axis of length one."""


def transposed(data: np.ndarray, kernel: np.ndarray, stride: int, dilation: int) -> np.ndarray:
    """By definition (ONNX ConvTranspose without ``pads``): every input adds the kernel, scaled, to the results."""
    results = np.zeros((len(data) - 1) * stride + (len(kernel) - 1) * dilation + 1)
    for position, value in enumerate(data):
        for tap, weight in enumerate(kernel):
            results[position * stride + tap * dilation] += value * weight
    return results


@given(
    extent=st.integers(1, 6),
    taps=st.integers(1, 6),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 4),
    ends=st.tuples(st.integers(0, 4), st.integers(-3, 4)),
)
def test_phases_beside_each_other_are_the_transposed_convolution(
    extent: int, taps: int, stride: int, dilation: int, ends: tuple[int, int]
) -> None:
    random = np.random.default_rng(0)
    data, kernel = random.standard_normal(extent), random.standard_normal(taps)
    whole = transposed(data, kernel, stride, dilation)
    begin, end = min(ends[0], len(whole) - 1), ends[1]
    results = max(1, len(whole) - begin - end)
    expected = np.pad(whole, (0, results))[begin : begin + results]  # a negative end is ONNX's output_padding
    found = np.full(results, np.nan)
    for first, phase in enumerate(phases_along(extent, results, taps, stride, dilation, begin)):
        assert min(phase.before, phase.after) >= 0
        filters = filters_of(kernel.reshape(1, 1, -1, 1), phase, WHOLE).reshape(-1)
        spread = np.zeros((len(filters) - 1) * phase.dilation + 1)
        spread[:: phase.dilation] = filters
        padded = np.pad(data, (phase.before, phase.after))
        share = found[first::stride]
        share[:] = np.correlate(padded, spread, "valid")[: len(share)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_phases_with_the_same_window_are_one_convolution() -> None:
    def groups(kernel: int, stride: int, cropped: int, join: bool = True) -> list[int]:
        phases = phases_along(8, 8 * stride, kernel, stride, 1, cropped)
        return [len(together) for together in alike(phases, phases, join=join)]

    assert groups(kernel=2, stride=2, cropped=0) == [4]  # a pointwise product and a shuffle
    assert groups(kernel=4, stride=2, cropped=1) == [1, 1, 1, 1]
    assert groups(kernel=16, stride=8, cropped=4) == [16, 16, 16, 16]
    assert groups(kernel=2, stride=2, cropped=0, join=False) == [1, 1, 1, 1]


def test_no_tap_is_multiplied_that_the_kernel_has_not() -> None:
    taps = [phase.taps for phase in phases_along(extent=8, results=16, kernel=3, stride=2, dilation=1, cropped=1)]
    assert taps == [(1,), (2, 0)]
