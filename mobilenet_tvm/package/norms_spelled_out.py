"""Normalisations of an ONNX graph as sums and products, for a yardstick that is exact to float32's last places.

ONNX Runtime's own kernels take the mean of squares less the square of the mean, or fold the mean into the shift: of
values that hardly differ, or of one pixel, four and more digits are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

FUSIONS = ("LayerNormFusion", "SimplifiedLayerNormFusion", "SkipLayerNormFusion")
"""Optimisations of ONNX Runtime's that would put such a kernel in again."""

_AXES_ARE_INPUT = 18
"""The opset from which on ReduceMean has its axes as an input."""
_RESHAPES_BY_INPUT = 5
_CASTS_LIKE = 15
"""Before it normalisations are taken to be of float32."""


class _Body:
    """The nodes that take a node's place; their values are named after its result."""

    def __init__(self, node: NodeProto, opset: int) -> None:
        self.attributes = {attribute.name: attribute for attribute in node.attribute}
        self.inputs = list(node.input)
        self.nodes: list[NodeProto] = []
        self._opset, self._result = opset, node.output[0]

    def emit(self, kind: str, *inputs: str, last: bool = False, **attributes: Any) -> str:
        from onnx import helper

        name = self._result if last else f"{self._result}/{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def numbers(self, *values: int) -> str:
        import numpy as np
        from onnx import numpy_helper

        return self.emit("Constant", value=numpy_helper.from_array(np.array(values, np.int64)))

    def number_like(self, value: float, like: str) -> str:
        import numpy as np
        from onnx import numpy_helper

        number = self.emit("Constant", value=numpy_helper.from_array(np.array(value, np.float32)))
        return self.emit("CastLike", number, like) if self._opset >= _CASTS_LIKE else number

    def mean(self, value: str, axes: tuple[int, ...]) -> str:
        if self._opset >= _AXES_ARE_INPUT:
            return self.emit("ReduceMean", value, self.numbers(*axes), keepdims=1)
        return self.emit("ReduceMean", value, axes=axes, keepdims=1)

    def normalised(self, value: str, axes: tuple[int, ...]) -> str:
        """``(x - mean) / sqrt(variance + epsilon)``."""
        epsilon = self.attributes["epsilon"].f if "epsilon" in self.attributes else 1e-5
        centred = self.emit("Sub", value, self.mean(value, axes))
        variance = self.mean(self.emit("Mul", centred, centred), axes)
        above_zero = self.emit("Add", variance, self.number_like(epsilon, value))
        return self.emit("Div", centred, self.emit("Sqrt", above_zero))


def _instance_norm(body: _Body) -> None:
    data, scale, shift = body.inputs
    rows = body.emit("Reshape", data, body.numbers(0, 0, -1))
    column = body.numbers(-1, 1)
    scaled = body.emit("Mul", body.normalised(rows, (2,)), body.emit("Reshape", scale, column))
    shifted = body.emit("Add", scaled, body.emit("Reshape", shift, column))
    body.emit("Reshape", shifted, body.emit("Shape", data), last=True)


def _layer_norm(body: _Body) -> None:
    from onnx import TensorProto

    axis = body.attributes["axis"].i if "axis" in body.attributes else -1
    data, scale, *shift = body.inputs
    wide = body.emit("Cast", data, to=TensorProto.FLOAT)
    normalised = body.emit("CastLike", body.normalised(wide, tuple(range(axis, 0))), data)
    scaled = body.emit("Mul", normalised, scale, last=not shift)
    if shift:
        body.emit("Add", scaled, *shift, last=True)


_BODIES: Mapping[str, Callable[[_Body], None]] = {
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
}


def _is_spelled_out(node: NodeProto) -> bool:
    """Whether a node has a body: none for means and deviations as further results, nor for an axis counted from the
    front, which takes the rank."""
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), -1)
    return node.op_type in _BODIES and node.domain in ("", "ai.onnx") and len(node.output) == 1 and axis < 0


def _spell_out(graph: GraphProto, opset: int) -> None:
    nodes: list[NodeProto] = []
    for node in graph.node:
        if not _is_spelled_out(node):
            nodes.append(node)
            continue
        body = _Body(node, opset)
        _BODIES[node.op_type](body)
        nodes += body.nodes
    del graph.node[:]
    graph.node.extend(nodes)


def spell_out_norms(model: ModelProto) -> bool:
    """Changes a model in place.

    :returns: whether there was anything to change, and its opset can say it.
    """
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < _RESHAPES_BY_INPUT or not any(_is_spelled_out(node) for node in model.graph.node):
        return False
    _spell_out(model.graph, opset)
    return True
