"""What a kernel is checked on makes results that a wrong kernel would not make."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.workloads import workload_of
from tvm_pipeline.workloads.seeded import seeded_arguments


@pytest.mark.parametrize("end", ["requantise", "dequantise"])
def test_bytes_are_spread(end: str) -> None:
    data, weight, bias, scale, quantisation = seeded_arguments(
        workload_of(Layer.parse(f"int8 pointwise 4x4x64->32 {end}"), VectorUnit(lanes=16, registers=32))
    )
    assert (data.dtype, weight.dtype, bias.dtype, scale.dtype) == ("uint8", "int8", "int32", "float32")
    assert np.ptp(data) > 200
    assert np.ptp(weight.astype(int)) > 200
    assert (scale > 0).all()
    assert quantisation[2] < quantisation[3]


def test_floats_are_normal_and_the_same_again() -> None:
    first, second = (seeded_arguments(workload_of(Layer.parse("dense 64->10 bias"))) for _ in range(2))
    assert [values.shape for values in first] == [(1, 64), (5, 64, 2), (10,)]
    for values, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(values, again)
    assert 0.8 < first[0].std() < 1.2
