"""Normalisations are exact where ONNX Runtime's kernels lose digits: values that hardly differ, or a single one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from mobilenet_tvm.package.norms_spelled_out import spell_out_norms
from mobilenet_tvm.package.yardstick import expected_outputs

CHANNELS = 6
SHAPES = ((2, CHANNELS, 5, 7), (1, CHANNELS, 1, 1), (3, CHANNELS, 11))


def _model(kind: str, shape: tuple[int, ...], opset: int, dtype: type, axis: int) -> onnx.ModelProto:
    random = np.random.default_rng(1)
    size = shape[1:2] if kind == "InstanceNormalization" else shape[axis:]
    scale = numpy_helper.from_array((random.standard_normal(size) * 3).astype(dtype), "scale")
    shift = numpy_helper.from_array(random.standard_normal(size).astype(dtype), "shift")
    attributes = {} if kind == "InstanceNormalization" else {"axis": axis}
    node = helper.make_node(kind, ["x", "scale", "shift"], ["y"], epsilon=1e-4, **attributes)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    values = [helper.make_tensor_value_info(name, element, shape) for name in ("x", "y")]
    graph = helper.make_graph([node], "norm", values[:1], values[1:], [scale, shift])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _exact(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    scale, shift = (numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer)
    attributes = {attribute.name: attribute.i for attribute in model.graph.node[0].attribute}
    axes = tuple(range(attributes["axis"], 0)) if "axis" in attributes else tuple(range(2, x.ndim))
    if "axis" not in attributes:
        scale, shift = (values.reshape(-1, *[1] * (x.ndim - 2)) for values in (scale, shift))
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + 1e-4) * scale + shift


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("kind", "opset", "axis"),
    [
        ("InstanceNormalization", 7, 0),
        ("InstanceNormalization", 13, 0),
        ("InstanceNormalization", 18, 0),
        ("InstanceNormalization", 22, 0),
        ("LayerNormalization", 17, -1),
        ("LayerNormalization", 18, -2),
    ],
)
def test_of_values_far_from_zero(kind: str, opset: int, axis: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    model = _model(kind, shape, opset, np.float32, axis)
    onnx.save(model, tmp_path / "norm.onnx")
    x = (50 + np.random.default_rng(2).standard_normal(shape)).astype(np.float32)
    ((y,),) = expected_outputs(tmp_path / "norm.onnx", [(x,)])
    exact = _exact(model, x)
    np.testing.assert_allclose(y, exact, rtol=0, atol=2e-5 * np.abs(exact).max())


def test_of_halves(tmp_path: Path) -> None:
    model = _model("LayerNormalization", (2, CHANNELS, 9), 17, np.float16, -1)
    onnx.save(model, tmp_path / "norm.onnx")
    x = np.random.default_rng(2).standard_normal((2, CHANNELS, 9)).astype(np.float16)
    ((y,),) = expected_outputs(tmp_path / "norm.onnx", [(x,)])
    assert y.dtype == np.float16
    np.testing.assert_allclose(y, _exact(model, x), rtol=4e-3, atol=4e-3)


def test_what_has_no_body_is_left_alone() -> None:
    model = _model("LayerNormalization", (2, CHANNELS, 9), 17, np.float32, -1)
    model.graph.node[0].output.append("mean")
    before = model.SerializeToString()
    assert not spell_out_norms(model)
    assert model.SerializeToString() == before
