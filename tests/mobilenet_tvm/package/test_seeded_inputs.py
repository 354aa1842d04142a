from __future__ import annotations

import numpy as np
import pytest

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.model.onnx_inputs import DTYPES
from mobilenet_tvm.package.seeded_inputs import seeded_inputs


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_input_of_each_dtype(dtype: str) -> None:
    tensor = OnnxInput(name="x", shape=(40, 50), dtype=dtype)
    first, second = (inputs[0] for inputs in seeded_inputs([tensor], count=2))
    assert (first.shape, first.dtype) == ((40, 50), np.dtype(dtype))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, seeded_inputs([tensor])[0][0])
    assert not np.array_equal(first, seeded_inputs([tensor], seed=1)[0][0])


def test_what_values_they_have() -> None:
    def draw(dtype: str, span: int = 100) -> np.ndarray:
        return seeded_inputs([OnnxInput(name="x", shape=(9999,), dtype=dtype)], span=span)[0][0]

    assert set(draw("bool")) == {True, False}
    assert (draw("uint8").min(), draw("uint8").max()) == (0, 255)
    assert (draw("int8").min(), draw("int8").max()) == (-128, 127)
    assert (draw("int64").min(), draw("int64", 4).max()) == (0, 3)
    assert abs(draw("float16").astype(np.float32).std() - 1) < 0.1


def test_inputs_of_one_kind_differ() -> None:
    one, other = seeded_inputs([OnnxInput(name=name, shape=(8,)) for name in "ab"])[0]
    assert not np.array_equal(one, other)
