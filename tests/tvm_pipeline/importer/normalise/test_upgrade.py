"""Nodes of old opsets compute the same once they are upgraded, by ONNX Runtime; and no gap is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, defs, helper, numpy_helper
from tvm.relax.frontend.onnx.onnx_frontend import _get_convert_map

from tvm_pipeline.importer.normalise.normalise import normalise
from tvm_pipeline.importer.normalise.upgrade import OPSET, STEPS, schema

Constants = dict[str, np.ndarray]
F = np.float32
HINTS = {"consumed_inputs", "is_test"}
ONLY_DEFAULTS = {("Selu", 1)}
ELSEWHERE = {
    "BatchNormalization": "statistics were renamed; more than one result is training, and refused",
    "Scatter": "was renamed",
}


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(F)


def _model(
    opset: int,
    operator: str,
    constants: Constants,
    shape: tuple[int, ...] = (2, 6, 5, 4),
    results: int = 1,
    **given: Any,
) -> ModelProto:
    names = ["x", *constants]
    outputs = [f"y{index}" for index in range(results)]
    node = helper.make_node(operator, names, outputs, "node", **given)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    data = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "graph", [data], values, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _cases() -> Iterator[tuple[str, ModelProto]]:
    factors = np.array([1, 1, 2, 1.5], F)
    yield "Upsample-7", _model(7, "Upsample", {}, scales=[1.0, 1.0, 2.0, 3.0])
    yield "Upsample-7 linear", _model(7, "Upsample", {}, scales=[1.0, 1.0, 2.0, 3.0], mode="linear")
    yield "Upsample-9", _model(9, "Upsample", {"s": factors})
    for mode in ("nearest", "linear"):
        yield f"Resize-10 {mode}", _model(10, "Resize", {"s": factors}, mode=mode)
        yield f"Resize-10 {mode} smaller", _model(10, "Resize", {"s": np.array([1, 1, 0.6, 0.5], F)}, mode=mode)
    yield "Slice-1", _model(9, "Slice", {}, axes=[1, 3], starts=[1, -3], ends=[2**63 - 1, -1])
    yield "Slice-1 without axes", _model(7, "Slice", {}, starts=[0, 1], ends=[1, 1000])
    yield "TopK-1", _model(9, "TopK", {}, results=2, k=3, axis=1)
    yield "TopK-10", _model(10, "TopK", {"k": np.array([3], np.int64)}, results=2, axis=1)
    for mode in ("constant", "reflect", "edge"):
        yield f"Pad-2 {mode}", _model(8, "Pad", {}, pads=[0, 0, 1, 2, 0, 0, 2, 1], mode=mode, value=0.5)
    yield "Clip-6", _model(8, "Clip", {}, min=-0.5, max=0.7)
    yield "Clip-6 above", _model(10, "Clip", {}, max=0.7)
    for operator in ("Softmax", "LogSoftmax", "Hardmax"):
        for axis in (None, 0, 2, 3, -2):
            given = {} if axis is None else {"axis": axis}
            yield f"{operator} {axis}", _model(11, operator, {}, **given)
        yield f"{operator} of a vector", _model(9, operator, {}, (2, 6, 1, 1))
    yield "BatchNormalization-7", _model(7, "BatchNormalization", _statistics(6), momentum=0.5, epsilon=1e-3)
    yield "BatchNormalization-9", _model(9, "BatchNormalization", _statistics(6))
    yield "Dropout-7", _model(7, "Dropout", {}, ratio=0.3)
    yield "Squeeze-1", _model(11, "Squeeze", {}, (2, 1, 5, 1), axes=[1])
    yield "Squeeze-1 all", _model(11, "Squeeze", {}, (2, 1, 5, 1))
    yield "Unsqueeze-1", _model(9, "Unsqueeze", {}, axes=[0, 3])
    yield "Split-2", _model(11, "Split", {}, results=2, axis=1, split=[2, 4])
    yield "Split-2 equal", _model(8, "Split", {}, results=3, axis=1)
    yield "Split-13 equal", _model(13, "Split", {}, results=3, axis=1)
    for operator in ("ReduceMean", "ReduceSum", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMin", "ReduceProd"):
        yield f"{operator} all", _model(9, operator, {}, keepdims=0)
        yield f"{operator} two", _model(11, operator, {}, axes=[-1, 1])
    for operator in ("ReduceSumSquare", "ReduceLogSumExp"):
        yield operator, _model(13, operator, {}, axes=[2], keepdims=0)
    yield "ReduceMean-13", _model(13, "ReduceMean", {}, axes=[2, 3])
    yield "Reshape-5", _model(7, "Reshape", {"s": np.array([0, -1], np.int64)})
    yield "Selu-6", _model(8, "Selu", {})
    yield "ArgMax", _model(8, "ArgMax", {}, axis=1)
    for opset in (7, 10, 11, 18):
        ceil = {"ceil_mode": 1} if opset >= 10 else {}
        pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 1], **ceil}
        yield f"AveragePool-{opset}", _model(opset, "AveragePool", {}, **pool)
        yield f"MaxPool-{opset}", _model(opset, "MaxPool", {}, **pool)
        del pool["pads"]
        yield f"AveragePool-{opset} counted", _model(opset, "AveragePool", {}, count_include_pad=1, **pool)
    yield "LpPool-2", _model(9, "LpPool", {}, kernel_shape=[2, 2], p=3)
    yield "GroupNormalization-18", _model(18, "GroupNormalization", {"g": _random(3), "b": _random(3)}, num_groups=3)
    rois = {"r": np.array([[0, 0, 3, 4], [1, 1, 2, 3]], F), "i": np.array([0, 1], np.int64)}
    yield "RoiAlign-10", _model(10, "RoiAlign", rois, output_height=2, output_width=2, sampling_ratio=2)
    grid = np.random.default_rng(3).uniform(-1.2, 1.2, (2, 3, 4, 2)).astype(F)
    for mode in ("bilinear", "nearest", "bicubic"):
        yield f"GridSample-16 {mode}", _model(16, "GridSample", {"g": grid}, mode=mode)
    yield "PRelu-7", _model(7, "PRelu", {"s": _random(6, 1, 1)})
    yield "Gemm-7", _model(7, "Gemm", {"w": _random(6, 3), "b": _random(3)}, (2, 6))
    yield "Cast-9", _model(9, "Cast", {}, to=TensorProto.INT64)


def _statistics(channels: int) -> Constants:
    return {name: np.abs(_random(channels)) + F(index) for index, name in enumerate(("g", "b", "m", "v"))}


def _outputs(model: ModelProto, data: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": data}))


def _without_dtype(model: ModelProto) -> ModelProto:
    """Its outputs' dtypes are what inference says."""
    for value in model.graph.output:
        value.type.tensor_type.elem_type = 0
    model = onnx.shape_inference.infer_shapes(model)
    for value in model.graph.output:
        value.type.tensor_type.elem_type = value.type.tensor_type.elem_type or TensorProto.FLOAT
    return model


def _ranked(model: ModelProto) -> ModelProto:
    """ONNX's checker wants a rank, which inference does not know of GroupNormalization's result."""
    for value in model.graph.output:
        value.type.tensor_type.shape.SetInParent()
    return model


@pytest.mark.parametrize(("name", "model"), [pytest.param(*case, id=case[0]) for case in _cases()])
def test_an_upgraded_node_computes_the_same(name: str, model: ModelProto) -> None:
    model = _without_dtype(model)
    data = _random(*(dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim))
    expected = _outputs(model, data)
    normalise(model)
    assert model.opset_import[0].version == OPSET
    onnx.checker.check_model(_ranked(onnx.shape_inference.infer_shapes(model, strict_mode=True)))
    for right, made in zip(expected, _outputs(model, data), strict=True):
        np.testing.assert_allclose(made, right, rtol=1e-5, atol=1e-6, strict=True)


def _interface(described: defs.OpSchema) -> tuple[dict[str, object], list[str]]:
    """What a node's attributes and inputs mean, as far as a schema says it."""
    defaults = {name: (a.type, a.default_value.SerializeToString()) for name, a in described.attributes.items()}
    return defaults, [value.name for value in described.inputs]


def _gaps() -> Iterator[tuple[str, int, list[str]]]:
    """Versions of operators that TVM converts, and what a converter for :data:`OPSET` would misread of their nodes."""
    for old in defs.get_all_schemas_with_history():
        new = schema(old.name, OPSET)
        if old.domain or old.name not in _get_convert_map() or new is None or old.since_version >= new.since_version:
            continue
        (old_attributes, old_inputs), (attributes, inputs) = _interface(old), _interface(new)
        lost = [name for name, meaning in old_attributes.items() if attributes.get(name) != meaning]
        if new.deprecated or old_inputs != inputs[: len(old_inputs)]:
            lost.append("its inputs")
        if lost := [what for what in lost if what not in HINTS]:
            yield old.name, old.since_version, lost


def test_a_step_closes_every_gap_between_onnxs_versions() -> None:
    gaps = list(_gaps())
    assert len(gaps) > 80
    befores = {(operator, step.before) for step in STEPS for operator in step.operators}
    for operator, version, lost in gaps:
        has_step = any(name == operator and version < before for name, before in befores)
        only_defaults = (operator, version) in ONLY_DEFAULTS
        assert has_step or only_defaults or operator in ELSEWHERE, (operator, version, lost)


@pytest.mark.parametrize("axis", [1, 0, None])
def test_the_second_operands_dimensions_begin_at_an_axis_before_opset_7(axis: int | None) -> None:
    given = {} if axis is None else {"axis": axis}
    other = _random(*{1: (6, 5), 0: (2, 6), None: (5, 4)}[axis])
    model = _model(6, "Add", {"b": other}, broadcast=1, **given)
    normalise(model)
    data = _random(2, 6, 5, 4)
    shape = {1: (6, 5, 1), 0: (2, 6, 1, 1), None: (5, 4)}[axis]
    np.testing.assert_array_equal(_outputs(model, data)[0], data + other.reshape(shape))


def test_other_steps_for_opsets_that_onnx_runtime_does_not_run() -> None:
    data = _random(2, 6, 5, 4)
    slopes = np.arange(6, dtype=F) / 7
    expected = {
        "PRelu": np.where(data < 0, data * slopes.reshape(6, 1, 1), data),
        "Cast": data.astype(np.int64),
        "Tile": np.concatenate([data, data], 1),
        "Upsample": data.repeat(2, 2).repeat(3, 3),
        "BatchNormalization": (data - data[0]) / np.sqrt(data[0] ** 2 + F(1e-5)) * data[1] + data[0],
    }
    models = {
        "PRelu": _model(6, "PRelu", {"s": slopes}),
        "Cast": _model(5, "Cast", {}, to="INT64"),
        "Tile": _model(5, "Tile", {"n": np.array(2, np.int64), "axis": np.array(1, np.int64)}),
        "Upsample": _model(6, "Upsample", {}, height_scale=2.0, width_scale=3.0),
        "BatchNormalization": _model(
            7, "BatchNormalization", {"g": data[1], "b": data[0], "m": data[0], "v": data[0] ** 2}, spatial=0
        ),
    }
    for operator, model in models.items():
        model = _without_dtype(model) if operator == "Cast" else model
        normalise(model)
        if operator == "Cast":
            model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
        np.testing.assert_allclose(_outputs(model, data)[0], expected[operator], rtol=1e-5, atol=1e-6)
