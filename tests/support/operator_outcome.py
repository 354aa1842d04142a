"""One ONNX node through the pipeline, beside ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from outcome import Outcome, outcome_of

from tvm_pipeline.hardware.target import CpuTarget

OPSET = 21


def node_model(
    operator: str,
    shape: Sequence[int],
    constants: Sequence[np.ndarray | None] = (),
    *,
    opset: int = OPSET,
    results: int = 1,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node: its first input is the float32 ``x``, the others are constants (None: left out)."""
    names = ["" if value is None else f"c{index}" for index, value in enumerate(constants)]
    given = {name: value for name, value in zip(names, constants, strict=True) if value is not None}
    outputs = [f"y{index}" for index in range(results)]
    node = helper.make_node(operator, ["x", *names], outputs, "tried", **attributes)
    graph = helper.make_graph(
        [node],
        "node",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, list(shape))],
        [helper.make_value_info(name, onnx.TypeProto()) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in given.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model)


def outcome_beside_onnxruntime(
    model: onnx.ModelProto, target: CpuTarget, data: np.ndarray | None = None, tolerance: float = 1e-4
) -> Outcome:
    """What becomes of a model of one input, by ONNX Runtime's outputs.

    :param data: what the model gets; normally distributed numbers of several orders of magnitude if None.
    """
    shape = [dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim]
    data = live_data(shape) if data is None else data
    return outcome_of(model, [data], expected_outputs(model, {model.graph.input[0].name: data}), target, tolerance)


def live_data(shape: Sequence[int]) -> np.ndarray:
    random = np.random.default_rng(3)
    scales = np.exp(random.standard_normal((*shape[:2], *[1] * (len(shape) - 2))))
    return np.asarray(random.standard_normal(shape) * scales, np.float32)


def expected_outputs(model: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(value) for value in session.run(None, dict(inputs))]
