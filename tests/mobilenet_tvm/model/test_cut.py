from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event
from mobilenet_tvm.model.cut import cut_at, input_names
from mobilenet_tvm.model.onnx_check import check_onnx
from mobilenet_tvm.model.source import find_model

node = helper.make_node


def _silent(event: Event) -> None:
    pass


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Two inputs; ``side`` needs one of them, ``boxes`` both, and indices come behind that."""
    body_result = helper.make_tensor_value_info("inner", TensorProto.FLOAT, [2, 3])
    body = helper.make_graph([node("Mul", ["/a", "w"], ["inner"])], "body", [], [body_result])
    nodes = [
        node("Relu", ["x.1"], ["/a"]),
        node("If", ["yes"], ["side"], then_branch=body, else_branch=body),
        node("Add", ["side", "z"], ["boxes"]),
        node("NonZero", ["boxes"], ["where"]),
        node("Neg", ["w"], ["constant"]),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in ("x.1", "z")]
    outputs = [helper.make_tensor_value_info("where", TensorProto.INT64, [2, "count"])]
    weights = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "yes": np.array(True)}
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "network", inputs, outputs, constants)
    path = tmp_path / "network.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_a_cut_network_computes_what_was_asked_for_from_what_it_needs(network: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    cut = cut_at(network, ["side", "/a"], tmp_path / "cut")
    assert input_names(cut) == ["x.1"]
    check_onnx(cut)
    data = np.array([[1, -2, 3], [-4, 5, -6]], np.float32)
    session = onnxruntime.InferenceSession(cut, providers=["CPUExecutionProvider"])
    side, relu = session.run(None, {"x.1": data})
    np.testing.assert_array_equal(relu, np.maximum(data, 0))
    np.testing.assert_array_equal(side, relu * np.arange(6).reshape(2, 3))


def test_its_own_outputs_leave_a_file_as_it_is(network: Path, tmp_path: Path) -> None:
    assert cut_at(network, ["where"], tmp_path) == network
    assert cut_at(network, [], tmp_path) == network


def test_what_cannot_be_cut(network: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    with pytest.raises(UserError, match="unknown tensor 'boxs': did you mean 'boxes'"):
        cut_at(network, ["boxs"], tmp_path / "cut")
    with pytest.raises(UserError, match="constant depends on no input"):
        cut_at(network, ["constant"], tmp_path / "cut")


def test_a_source_that_is_cut_has_the_inputs_that_are_left(network: Path, tmp_path: Path) -> None:
    whole = find_model(str(network), None, None, _silent)
    source = find_model(str(network), None, None, _silent, tmp_path, ["side"])
    assert [tensor.name for tensor in source.inputs] == ["x.1"]
    assert (source.onnx_sha256, source.outputs) == (whole.onnx_sha256, ("side",))
    assert source.onnx != network
