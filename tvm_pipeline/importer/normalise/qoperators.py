"""Quantised operators (``QLinearConv``, ``QGemm``, ...) as QDQ: the float operator between Dequantize and Quantize.

Those of ``com.microsoft`` are described in ONNX Runtime's ``docs/ContribOperators.md``. Operands of all of them come in
threes: bytes, scale, zero point.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper

from tvm_pipeline.importer.normalise.editor import ONNX_DOMAINS, Editor, attribute, replace_all, take_attribute
from tvm_pipeline.importer.refusals.where import refusal

_MICROSOFT = "com.microsoft"
_COLUMNS, _ROWS = -1, -2


class _Region:
    """The nodes that take the place of a quantised one; methods return the name of what they add."""

    def __init__(self, node: NodeProto, editor: Editor) -> None:
        self.node, self.editor = node, editor
        self.nodes: list[NodeProto] = []

    def operand(self, position: int) -> str:
        """An input of the quantised node, empty where it is left out."""
        return self.node.input[position] if position < len(self.node.input) else ""

    def add(self, operator: str, inputs: Sequence[str], result: str = "", **attributes: Any) -> str:
        result = result or self.editor.fresh(f"{self.node.output[0]}_{operator}")
        name = f"{self.node.name or self.node.output[0]}_{result}"
        self.nodes.append(helper.make_node(operator, inputs, [result], name, **attributes))
        return result

    def dequantised(self, position: int, axis: int | None = None) -> str:
        """The three operands from ``position`` on as one of float32.

        :param axis: of the channels, where each may have a scale of its own.
        """
        data, scale, zero = (self.operand(position + offset) for offset in range(3))
        known: dict[str, Any] = {} if axis is None or not self._is_vector(scale) else {"axis": axis}
        return self.add("DequantizeLinear", [data, scale, zero] if zero else [data, scale], **known)

    def bias(self, position: int, scales: Sequence[str]) -> list[str]:
        """The optional int32 bias, whose scale is the product of ``scales``; as a list of operands."""
        bias = self.operand(position)
        if not bias:
            return []
        scale = self.add("Mul", scales)
        axis: dict[str, Any] = {"axis": 0} if any(self._is_vector(one) for one in scales) else {}
        return [self.add("DequantizeLinear", [bias, scale], **axis)]

    def quantised(self, value: str, position: int) -> None:
        """``value`` as the node's result, by the scale at ``position`` and the zero point behind it."""
        scale, zero = self.operand(position), self.operand(position + 1)
        if not zero:  # QuantizeLinear would make uint8 of int8
            raise refusal(self.node, "has no zero point of its result: give it one, 0 of the result's type")
        self.add("QuantizeLinear", [value, scale, zero], self.node.output[0])

    def _is_vector(self, scale: str) -> bool:
        value = self.editor.value(scale)
        shape = self.editor.shape(scale) if value is None else value.shape
        if shape is not None and len(shape) > 1:
            raise refusal(self.node, f"has the scale {scale!r} of rank {len(shape)}: give it one for each channel")
        return bool(shape) and shape != (1,)


def _conv(region: _Region) -> None:
    operands = [region.dequantised(0), region.dequantised(3, axis=0)]
    operands += region.bias(8, [region.operand(1), region.operand(4)])
    region.quantised(region.add("Conv", operands, **_attributes(region.node)), 6)


def _matmul(region: _Region) -> None:
    operands = [region.dequantised(0, _ROWS), region.dequantised(3, _COLUMNS)]
    region.quantised(region.add("MatMul", operands), 6)


def _gemm(region: _Region) -> None:
    """The bias has the scale ``alpha * scale of A * scale of B``; without a scale of its result, that is float32."""
    attributes = _attributes(region.node)
    alpha = attribute(region.node, "alpha")
    operands = [region.dequantised(0), region.dequantised(3, axis=0 if attributes.get("transB") else 1)]
    scales = [region.operand(1), region.operand(4)]
    if alpha is not None and region.operand(6):
        scales[0] = region.add("Mul", [scales[0], region.editor.constant(np.array(alpha.f, np.float32))])
    operands += region.bias(6, scales)
    if region.operand(7):
        region.quantised(region.add("Gemm", operands, **attributes), 7)
    else:
        region.add("Gemm", operands, region.node.output[0], **attributes)


def _of_two(operator: str) -> Callable[[_Region], None]:
    def rewrite(region: _Region) -> None:
        region.quantised(region.add(operator, [region.dequantised(0), region.dequantised(3)]), 6)

    return rewrite


def _of_one(operator: str) -> Callable[[_Region], None]:
    def rewrite(region: _Region) -> None:
        is_last = take_attribute(region.node, "channels_last")
        if is_last is not None and is_last.i:
            raise refusal(region.node, "has its channels last: export it with channels_last = 0")
        region.quantised(region.add(operator, [region.dequantised(0)], **_attributes(region.node)), 3)

    return rewrite


def _concat(region: _Region) -> None:
    """The result's scale and zero point come first."""
    operands = [region.dequantised(position) for position in range(2, len(region.node.input), 3)]
    region.quantised(region.add("Concat", operands, **_attributes(region.node)), 0)


def _attributes(node: NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


OPERATORS: dict[tuple[str, str], Callable[[_Region], None]] = {
    ("", "QLinearConv"): _conv,
    ("", "QLinearMatMul"): _matmul,
    (_MICROSOFT, "QGemm"): _gemm,
    (_MICROSOFT, "QLinearAdd"): _of_two("Add"),
    (_MICROSOFT, "QLinearMul"): _of_two("Mul"),
    (_MICROSOFT, "QLinearConcat"): _concat,
    (_MICROSOFT, "QLinearSigmoid"): _of_one("Sigmoid"),
    (_MICROSOFT, "QLinearLeakyRelu"): _of_one("LeakyRelu"),
    (_MICROSOFT, "QLinearAveragePool"): _of_one("AveragePool"),
    (_MICROSOFT, "QLinearGlobalAveragePool"): _of_one("GlobalAveragePool"),
}
"""By domain and operator."""


def qoperators_to_qdq(model: ModelProto) -> None:
    """Replace quantised operators of the main graph by QDQ, in place."""
    if all(_rewrite_of(node) is None for node in model.graph.node):
        return
    editor = Editor(model)
    replace_all(model.graph.node, [new for node in model.graph.node for new in _as_qdq(node, editor)])


def _rewrite_of(node: NodeProto) -> Callable[[_Region], None] | None:
    return OPERATORS.get(("" if node.domain in ONNX_DOMAINS else node.domain, node.op_type))


def _as_qdq(node: NodeProto, editor: Editor) -> list[NodeProto]:
    rewrite = _rewrite_of(node)
    if rewrite is None:
        return [node]
    region = _Region(node, editor)
    rewrite(region)
    return region.nodes
