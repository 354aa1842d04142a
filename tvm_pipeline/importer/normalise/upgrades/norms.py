"""BatchNormalization without ``spatial``, GroupNormalization by channels."""

import numpy as np
from onnx import NodeProto, helper

from tvm_pipeline.importer.normalise.editor import Editor, attribute, take_attribute


def batch_normalization(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """BatchNormalization-7 and before: with ``spatial`` 0 every element has statistics of its own."""
    spatial = take_attribute(node, "spatial")
    if spatial is None or spatial.i:
        return [node]
    data, scale, shift, mean, variance = node.input
    given = attribute(node, "epsilon")
    dtype = editor.dtype(data) or np.dtype(np.float32)
    epsilon = editor.constant(np.asarray(1e-5 if given is None else given.f, dtype))
    names = [editor.fresh(f"{node.output[0]}_{part}") for part in ("sum", "deviation", "centred", "normal", "scaled")]
    total, deviation, centred, normal, scaled = names
    return [
        helper.make_node("Add", [variance, epsilon], [total]),
        helper.make_node("Sqrt", [total], [deviation]),
        helper.make_node("Sub", [data, mean], [centred]),
        helper.make_node("Div", [centred, deviation], [normal]),
        helper.make_node("Mul", [normal, scale], [scaled]),
        helper.make_node("Add", [scaled, shift], [node.output[0]], node.name),
    ]


def scale_per_channel(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """GroupNormalization-18, whose scale and shift are those of a group."""
    groups = attribute(node, "num_groups")
    shape = editor.shape(node.input[0])
    if groups is None or shape is None or len(shape) < 2 or shape[1] is None:
        return [node]
    nodes, each = [], shape[1] // groups.i
    for position in (1, 2):
        name = node.input[position]
        column, wide, flat = (editor.fresh(f"{name}_{part}") for part in ("column", "wide", "flat"))
        nodes += [
            helper.make_node("Reshape", [name, editor.int64([groups.i, 1])], [column]),
            helper.make_node("Expand", [column, editor.int64([groups.i, each])], [wide]),
            helper.make_node("Reshape", [wide, editor.int64([-1])], [flat]),
        ]
        node.input[position] = flat
    return [*nodes, node]
