"""Maxima of nothing but minus infinity, and minima of infinity, are what they are, in vectors or not."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx_network import Network
from verdict import Verdict, judge


@pytest.mark.parametrize(("operator", "value"), [("ReduceMax", -np.inf), ("ReduceMin", np.inf)])
@pytest.mark.parametrize(("shape", "axis"), [((2, 3, 37), 2), ((2, 37, 5), 1), ((1, 16, 8, 8), 1)])
def test_rows_of_infinity(operator: str, value: float, shape: tuple[int, ...], axis: int) -> None:
    network = Network()
    data = network.input(list(shape))
    model = network.output(network.node(operator, data, network.constant([axis], np.int64))).model()
    array = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    array[0] = value
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert judge(model, [array], session.run(None, {data: array})) == Verdict("right")
