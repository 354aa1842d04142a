"""How far off a right int8 package may be: as far as rounding alone takes the file's own outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from emulated_places import silent
from onnx import numpy_helper
from onnx_network import Network

from mobilenet_tvm.model.quantise import cached, quantisers
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.package.int8 import tolerance_of
from mobilenet_tvm.package.manifest import TOLERANCE
from mobilenet_tvm.package.reference import Pair
from mobilenet_tvm.package.yardstick import expected_outputs, make_pairs


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantisers, "best", lambda: "onnxruntime")


def _quantised(depth: int, folder: Path) -> ModelSource:
    """So many convolutions in eight bits."""
    network = Network(seed=depth)
    data = network.conv(network.input([1, 3, 16, 16]), 3, 32, 3)
    for _ in range(depth - 1):
        data = network.conv(network.node("Relu", data), 32, 32, 3)
    path = network.output(data).save(folder / f"{depth}.onnx")
    return cached.quantised(replace(find_model(str(path), None, None, silent), random_weights=True), None, silent)


def _off(onnx_file: Path, pairs: list[Pair]) -> float:
    """The largest difference from the pairs' outputs, of their range."""
    made = np.stack([outputs[0] for outputs in expected_outputs(onnx_file, [pair.inputs for pair in pairs])])
    right = np.stack([pair.outputs[0] for pair in pairs])
    return float(np.abs(made - right).max() / np.ptp(right))


def test_rounding_grows_with_depth(tmp_path: Path) -> None:
    shallow, deep = (_quantised(depth, tmp_path) for depth in (1, 8))
    tolerances = [tolerance_of(made.onnx, make_pairs(made.onnx, made.inputs)) for made in (shallow, deep)]
    assert TOLERANCE <= tolerances[0] < 1e-3
    assert 3 * tolerances[0] < tolerances[1] <= 0.1


@pytest.mark.parametrize("part", ["weights", "zero point"])
def test_a_wrong_network_is_outside(part: str, tmp_path: Path) -> None:
    """A channel's weights zeroed in one layer of eight, or a zero point off by eight steps: no rounding does that."""
    made = _quantised(8, tmp_path)
    pairs = make_pairs(made.onnx, made.inputs)
    model = onnx.load(made.onnx)
    kind = np.int8 if part == "weights" else np.uint8
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    fitting = [name for name, array in arrays.items() if array.dtype == kind and (array.ndim == 4) == (kind == np.int8)]
    name = fitting[3]
    changed = arrays[name].copy()
    if part == "weights":
        changed[:4] = 0
    else:
        changed = np.asarray(changed + 8 if changed < 128 else changed - 8, kind)
    next(t for t in model.graph.initializer if t.name == name).CopyFrom(numpy_helper.from_array(changed, name))
    if part == "zero point":  # of the quantising side alone, as a kernel that pads with another value has it
        quantise = next(node for node in model.graph.node if node.op_type == "QuantizeLinear" and name in node.input)
        quantise.input[2] = "another"
        model.graph.initializer.append(numpy_helper.from_array(arrays[name], "another"))
    onnx.save(model, tmp_path / "wrong.onnx")
    assert _off(tmp_path / "wrong.onnx", pairs) > tolerance_of(made.onnx, pairs)
