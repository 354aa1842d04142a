"""Quantised ONNX files: whether one is, and how large a step of each output is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from onnx import GraphProto, NodeProto

    from mobilenet_tvm.package.reference import Pair

_QUANTISED = ("QuantizeLinear", "DequantizeLinear", "ConvInteger", "MatMulInteger", "QGemm")
_MAKES_STEPS = ("QuantizeLinear", "QLinear", "QGemm")
"""What such an operator makes is whole steps."""
_MOVES = (
    *("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Slice", "Pad"),
    *("Relu", "Clip", "LeakyRelu", "MaxPool", "GlobalMaxPool", "Max", "Min", "DepthToSpace", "SpaceToDepth", "Dropout"),
)
"""Operators whose results are no further apart than what they were made of."""
_LEVELS = 255
"""Steps of an 8-bit number."""


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def is_quantised(onnx: Path) -> bool:
    """Whether a file computes with quantised numbers."""
    from onnx import load

    graphs = _graphs(load(onnx, load_external_data=False).graph)
    kinds = {node.op_type for graph in graphs for node in graph.node}
    return any(kind in _QUANTISED or kind.startswith("QLinear") for kind in kinds)


def _constants(graph: GraphProto, folder: Path) -> dict[str, np.ndarray]:
    from onnx import numpy_helper

    tensors = {tensor.name: tensor for tensor in graph.initializer}
    constants = (node for node in graph.node if node.op_type == "Constant")
    tensors |= {
        node.output[0]: attribute.t for node in constants for attribute in node.attribute if attribute.name == "value"
    }
    small = {name: tensor for name, tensor in tensors.items() if len(tensor.dims) <= 1}
    return {name: numpy_helper.to_array(tensor, str(folder)) for name, tensor in small.items()}


def _step(name: str, makers: Mapping[str, NodeProto], constants: Mapping[str, np.ndarray]) -> float | None:
    """The step of a value; None where the graph does not say it."""
    node = makers.get(name)
    if node is None:
        return None
    if node.op_type == "DequantizeLinear":
        scale = constants.get(node.input[1])
        return float(abs(scale).max()) if scale is not None else None
    if node.op_type.startswith(_MAKES_STEPS):
        return 1.0
    if node.op_type not in _MOVES:
        return None
    steps = [_step(value, makers, constants) for value in node.input if value and value not in constants]
    return max((step for step in steps if step is not None), default=None)


def output_steps(onnx: Path, pairs: Sequence[Pair]) -> list[float | None]:
    """A quantisation step of each output, in its own unit: what a right package may be off by.

    An output that is computed in floating point from quantised values has a step of 8 bits over its range. None for
    outputs of files that are not quantised, and for those whose values are no measure (an ArgMax's).
    """
    import numpy as np
    from onnx import load

    graph = load(onnx, load_external_data=False).graph
    if not is_quantised(onnx):
        return [None] * len(graph.output)
    constants = _constants(graph, onnx.parent)
    makers = {name: node for node in graph.node for name in node.output}
    steps: list[float | None] = []
    for number, value in enumerate(graph.output):
        arrays = [pair.outputs[number] for pair in pairs]
        step = _step(value.name, makers, constants)
        if step is None and arrays[0].dtype.kind == "f":
            ranges = [float(np.ptp(array[np.isfinite(array)])) for array in arrays if np.isfinite(array).any()]
            step = max(ranges, default=0.0) / _LEVELS
        steps.append(step or None)
    return steps
