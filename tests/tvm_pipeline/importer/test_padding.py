"""SAME padding in numbers, as ONNX defines it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tvm_pipeline.importer.padding import same_padding

_AXIS = st.tuples(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))


@given(st.lists(_AXIS, min_size=1, max_size=3), st.booleans())
def test_padding_makes_the_output_the_size_over_the_stride(axes: list[tuple[int, int, int, int]], lower: bool) -> None:
    sizes, kernels, strides, dilations = zip(*axes, strict=True)
    pads = same_padding(sizes, kernels, strides, dilations, lower)
    for (size, kernel, stride, dilation), before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        window = (kernel - 1) * dilation + 1
        outputs = -(-size // stride)
        assert (size + before + after - window) // stride + 1 == outputs
        assert abs(before - after) <= 1
        assert (before >= after) if lower else (before <= after)
        if before + after > 0:
            assert (size + before + after - 1 - window) // stride + 1 < outputs  # one pixel less would not do
