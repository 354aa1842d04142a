"""What an ONNX file's outputs are, above all of quantised ones: the graph's own arithmetic."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnx_network import Network

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.quantisation import output_steps
from mobilenet_tvm.package.yardstick import expected_outputs, make_pairs, onnxruntime_session

STEP = 0.11


def _quantised(folder: Path) -> Path:
    """A QDQ convolution of 64 channels; its second output is computed in floating point."""
    network = Network()
    x = network.input([1, 64, 12, 12])
    scale, zero = network.constant(np.float32(0.03)), network.constant(128, np.uint8)
    weight = network.constant(network.random.integers(-127, 128, (32, 64, 3, 3)), np.int8)
    dequantised = network.node("DequantizeLinear", network.node("QuantizeLinear", x, scale, zero), scale, zero)
    weights = network.node(
        "DequantizeLinear", weight, network.constant(np.float32(0.004)), network.constant(0, np.int8)
    )
    relu = network.node("Relu", network.node("Conv", dequantised, weights, pads=[1] * 4))
    step, low = network.constant(np.float32(STEP)), network.constant(0, np.uint8)
    whole = network.node("QuantizeLinear", relu, step, low)
    y = network.node("Flatten", network.node("DequantizeLinear", whole, step, low))
    model = network.output(y, network.node("Softmax", y), whole).model()
    model.opset_import[0].version = 21  # the oldest that ONNX's own implementation has all of it of
    onnx.save(model, folder / "quantised.onnx")
    return folder / "quantised.onnx"


def test_a_quantised_file_is_not_fused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Written(ort.SessionOptions):
        def __init__(self) -> None:
            super().__init__()
            self.optimized_model_filepath = str(tmp_path / "as-it-runs.onnx")

    def kinds(path: Path) -> Counter[str]:
        return Counter(node.op_type for node in onnx.load(path).graph.node)

    monkeypatch.setattr(ort, "SessionOptions", Written)
    path = _quantised(tmp_path)
    onnxruntime_session(path)
    assert kinds(tmp_path / "as-it-runs.onnx")["QLinearConv"] == 1
    (pair, *_) = make_pairs(path, [OnnxInput(name="input", shape=(1, 64, 12, 12))])
    assert kinds(tmp_path / "as-it-runs.onnx") == kinds(path)
    (by_definition, *_) = ReferenceEvaluator(str(path)).run(None, {"input": pair.inputs[0]})
    assert np.abs(pair.outputs[0] - by_definition).max() <= 1.01 * STEP
    assert pair.outputs[0].std() > STEP


def test_the_steps_of_its_outputs(tmp_path: Path) -> None:
    path = _quantised(tmp_path)
    pairs = make_pairs(path, [OnnxInput(name="input", shape=(1, 64, 12, 12))])
    moved, computed, whole = output_steps(path, pairs)
    assert moved == pytest.approx(STEP)
    assert computed == pytest.approx(max(np.ptp(pair.outputs[1]) for pair in pairs) / 255)
    assert whole == 1


def _save(path: Path, nodes: list[onnx.NodeProto], kind: int = TensorProto.FLOAT, domain: str = "") -> Path:
    value = helper.make_tensor_value_info("x", kind, [4])
    graph = helper.make_graph(nodes, "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_not_quantised_and_so_without_steps(tmp_path: Path) -> None:
    path = _save(tmp_path / "log.onnx", [helper.make_node("Log", ["x"], ["y"])])
    pairs = make_pairs(path, [OnnxInput(name="x", shape=(4,))])
    assert np.isnan([pair.outputs[0] for pair in pairs]).any(), "NaN is a right value where the file makes it"
    assert output_steps(path, pairs) == [None]


def test_indices_stay_within_what_they_index(tmp_path: Path) -> None:
    table = helper.make_tensor("t", TensorProto.FLOAT, [5], np.arange(5, dtype=np.float32))
    nodes = [helper.make_node("Constant", [], ["t"], value=table), helper.make_node("Gather", ["t", "x"], ["y"])]
    path = _save(tmp_path / "gather.onnx", nodes, TensorProto.INT64)
    pairs = make_pairs(path, [OnnxInput(name="x", shape=(4,), dtype="int64")])
    assert {int(value) for pair in pairs for value in pair.outputs[0]} == {0, 1, 2, 3}


def test_onnxs_own_implementation_is_the_second_yardstick(tmp_path: Path) -> None:
    """ONNX Runtime refuses an IR version that is newer than itself."""
    path = _save(tmp_path / "newer.onnx", [helper.make_node("Relu", ["x"], ["y"])])
    model = onnx.load(path)
    model.ir_version = onnx.IR_VERSION + 20
    onnx.save(model, path)
    x = np.array([-1, 2, -3, 4], np.float32)
    with pytest.raises(Exception, match="IR version"):
        onnxruntime_session(path)
    ((y,),) = expected_outputs(path, [(x,)])
    np.testing.assert_array_equal(y, [0, 2, 0, 4])


def test_what_nothing_runs_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "own.onnx", [helper.make_node("Mine", ["x"], ["y"], domain="own")], domain="own")
    with pytest.raises(UserError, match=r"ONNX Runtime does not run .*own\.onnx: .*Mine"):
        expected_outputs(path, [(np.zeros(4, np.float32),)])
