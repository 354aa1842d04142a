"""What is done to a scalar stays one."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from verdict import judge

OPERATORS = (
    *("Abs", "Celu", "Clip", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Neg", "Relu"),
    *("Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Tanh", "ThresholdedRelu"),
)


@pytest.mark.parametrize("size", [(2, 16), (1,)])
def test_elementwise_operators(size: tuple[int, ...]) -> None:
    nodes = [helper.make_node("ReduceMax", ["x"], ["scalar"], keepdims=0)]
    nodes += [helper.make_node(kind, ["scalar"], [kind.lower()]) for kind in OPERATORS]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, size)
    results = [helper.make_tensor_value_info(kind.lower(), TensorProto.FLOAT, None) for kind in OPERATORS]
    graph = helper.make_graph(nodes, "scalars", [x], results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    data = np.linspace(-1, 1.5, int(np.prod(size)), dtype=np.float32).reshape(size)[::-1].copy() + np.float32(1.2)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": data})
    assert all(result.shape == () for result in expected)
    verdict = judge(model, [data], expected)
    assert verdict.outcome == "right", verdict.why
