"""What rounding to bfloat16 costs a network is measured, and is what a package may be off by."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx_network import Network

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.package.bfloat16 import LEAST_TOLERANCE, round_operands, tolerance_of
from mobilenet_tvm.package.yardstick import make_pairs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two convolutions of which the second takes nearly equal channels apart: digits are lost that bfloat16 lacks."""
    network = Network()
    x = network.input([1, 8, 6, 6])
    wide = network.node("Conv", x, network.constant(network.random.standard_normal((16, 8, 1, 1)) + 20, "float32"))
    weight = network.random.standard_normal((8, 16, 1, 1))
    y = network.node("Conv", wide, network.constant(weight - weight.mean(1, keepdims=True), "float32"))
    onnx.save(network.output(y).model(), tmp_path / "network.onnx")
    return tmp_path / "network.onnx"


def test_what_loses_digits_may_be_off_by_more(path: Path, tiny_onnx: Path) -> None:
    pairs = make_pairs(path, [OnnxInput(name="input", shape=(1, 8, 6, 6))])
    assert tolerance_of(path, pairs) > 2 * LEAST_TOLERANCE
    pairs = make_pairs(tiny_onnx, [OnnxInput(name="input", shape=(1, 3, 16, 16))])
    assert LEAST_TOLERANCE <= tolerance_of(tiny_onnx, pairs) < 2 * LEAST_TOLERANCE


def test_each_operand_of_a_product_is_rounded_once(path: Path) -> None:
    model = onnx.load(path)
    round_operands(model)
    onnx.checker.check_model(model)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Conv") == 2
    assert kinds.count("Mul") == 4


def test_rounding_is_that_of_bfloat16_in_files_of_any_opset() -> None:
    """A product by one shows its operand."""
    x = np.random.default_rng(0).standard_normal((1000, 1)).astype(np.float32) * np.logspace(-30, 30, 1000)[:, None]
    shapes = {"x": x.shape, "one": (1, 1), "y": x.shape}
    infos = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "one"], ["y"])], "g", infos[:2], infos[2:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 9)], ir_version=4)
    round_operands(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    data = x.astype(np.float32)
    (y,) = session.run(None, {"x": data, "one": np.ones((1, 1), np.float32)})
    np.testing.assert_array_equal(y, data.astype(ml_dtypes.bfloat16).astype(np.float32))
