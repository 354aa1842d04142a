"""Operands that follow NumPy's rules for broadcasting since opset 7."""

import numpy as np
from onnx import NodeProto, helper

from tvm_pipeline.importer.normalise.editor import Editor, take_attribute

BINARY = ("Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor")


def numpy_broadcasting(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """The second operand's dimensions begin at ``axis`` of the first's; without it they end together, as NumPy's do."""
    take_attribute(node, "broadcast")
    axis = take_attribute(node, "axis")
    ranks = [editor.shape(name) for name in node.input]
    if axis is None or any(rank is None for rank in ranks):
        return [node]
    first, second = (len(rank) for rank in ranks if rank is not None)
    return _with_trailing(node, 1, first - axis.i % max(first, 1) - second, editor)


def slope_per_channel(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """PRelu-6, whose slopes are those of the second dimension."""
    data, slope = editor.shape(node.input[0]), editor.shape(node.input[1])
    if data is None or slope is None or len(slope) != 1 or slope[0] == 1:
        return [node]
    return _with_trailing(node, 1, len(data) - 2, editor)


def _with_trailing(node: NodeProto, position: int, count: int, editor: Editor) -> list[NodeProto]:
    """The node, and before it one that gives an operand ``count`` dimensions more, of 1, at its end."""
    if count <= 0:
        return [node]
    rank = len(editor.shape(node.input[position]) or ())
    longer = editor.fresh(node.input[position])
    axes = editor.constant(np.arange(rank, rank + count, dtype=np.int64))
    operand = node.input[position]
    node.input[position] = longer
    return [helper.make_node("Unsqueeze", [operand, axes], [longer]), node]
