"""Broken quantisation is named with its node, in QDQ and in quantised operators alike."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from qdq_network import QdqNetwork

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.importer.import_onnx import import_onnx

node = helper.make_node
PARTS = ("scale", "zero")


def _model(
    scale: list[float], zero: list[int], kind: int = TensorProto.UINT8, is_per_channel: bool = False
) -> onnx.ModelProto:
    """``zero`` is written in the field of 32-bit numbers, whatever its type."""
    axis = {"axis": 1} if is_per_channel else {}
    shape = [len(scale)] if is_per_channel else []
    zeros = TensorProto(name="zero", data_type=kind, dims=shape, int32_data=zero)
    nodes = [
        node("QuantizeLinear", ["x", *PARTS], ["q"], "n", **axis),
        node("DequantizeLinear", ["q", *PARTS], ["y"], "m", **axis),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 6, 6]) for name in "xy"]
    constants = [helper.make_tensor("scale", TensorProto.FLOAT, shape, scale), zeros]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


BROKEN = {
    "zero scale": (_model([0.0], [3]), "has the scale 0.0 "),
    "negative scale": (_model([-0.5], [3]), "has the scale -0.5 "),
    "infinite scale": (_model([np.inf], [3]), "has the scale inf "),
    "no number": (_model([np.nan], [3]), "has the scale nan "),
    "one channel of four": (_model([1, 2, 0, 1], [3] * 4, is_per_channel=True), "has the scale 0.0 "),
    "zero point above": (_model([1.0], [256]), "has the zero point 256 .* in 0 to 255"),
    "zero point below": (_model([1.0], [-129], TensorProto.INT8), "has the zero point -129 .* in -128 to 127"),
    "4 bits": (_model([1.0], [3], TensorProto.UINT4), "is about uint4, and only 8, 16 and 32 bits"),
    "float8": (_model([1.0], [0], TensorProto.FLOAT8E4M3FN), "is about float8e4m3fn, and only 8, 16 and 32 bits"),
}


def _line(model: onnx.ModelProto, folder: Path) -> str:
    onnx.save(model, folder / "model.onnx")
    with pytest.raises(UserError) as raised:
        import_onnx(folder / "model.onnx")
    return str(raised.value)


@pytest.mark.parametrize(("model", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_quantisation(model: onnx.ModelProto, reason: str, tmp_path: Path) -> None:
    line = _line(model, tmp_path)
    assert re.search(rf"operator QuantizeLinear \(node 'n'\) {reason}", line), line
    assert "\n" not in line


def test_a_scale_of_weights(tmp_path: Path) -> None:
    network = QdqNetwork()
    data = network.quantised(network.input([1, 4, 6, 6]), 0.03, 121)
    weight = network.weights(8, 4, 1, 1)
    scales = network.nodes[-1].input[1]
    network.constants[scales][5] = 0
    network.output(network.node("Conv", data, weight))
    assert re.search(
        rf"operator DequantizeLinear .* has the scale 0.0 \('{scales}'\)", _line(network.model(), tmp_path)
    )


def test_an_output_type_without_zero_point(tmp_path: Path) -> None:
    model = _model([1.0], [3])
    del model.graph.node[0].input[2], model.graph.node[1].input[2]
    model.graph.node[0].attribute.append(helper.make_attribute("output_dtype", TensorProto.INT4))
    assert "is about int4" in _line(model, tmp_path)


def test_whole_quantisation_passes(tmp_path: Path) -> None:
    for kind in (TensorProto.UINT8, TensorProto.INT8):
        onnx.save(_model([1.0, 2.0, 3.0, 4.0], [3] * 4, kind, is_per_channel=True), tmp_path / "model.onnx")
        assert import_onnx(tmp_path / "model.onnx")["main"] is not None
