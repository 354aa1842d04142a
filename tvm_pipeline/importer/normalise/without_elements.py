"""Tensors without elements: constants at once, for TVM's kernels divide by their extents."""

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from tvm_pipeline.importer.normalise.editor import (
    Editor,
    replace_all,
    set_attribute,
    shape_of,
    value_infos,
)


def fix_empty_tensors(model: ModelProto) -> None:
    """Make an initialiser of every tensor without elements, in place; Split and Concat do without them."""
    values = value_infos(model)
    shapes = {
        name: [extent for extent in shape_of(value) or () if extent is not None] for name, value in values.items()
    }
    empty = {name for name, shape in shapes.items() if 0 in shape and len(shape) == len(shape_of(values[name]) or ())}
    if not empty:
        return
    editor, nodes = Editor(model), []
    for node in model.graph.node:
        nodes += _without(node, empty, editor)
        for name in empty.intersection(node.output):
            dtype = helper.tensor_dtype_to_np_dtype(values[name].type.tensor_type.elem_type)
            model.graph.initializer.append(numpy_helper.from_array(np.zeros(shapes[name], dtype), name))
    replace_all(model.graph.node, nodes)


def _without(node: NodeProto, empty: set[str], editor: Editor) -> list[NodeProto]:
    """What is left of a node: nothing where all its results are empty."""
    kept = [name for name in node.output if name and name not in empty]
    if not kept:
        return []
    if node.op_type == "Concat" and (full := [name for name in node.input if name not in empty]):
        replace_all(node.input, full)
    if node.op_type == "Split" and len(kept) < len(node.output):
        return [_split_of(node, kept, editor)]
    return [node]


def _split_of(node: NodeProto, kept: list[str], editor: Editor) -> NodeProto:
    """A Split into those of its parts that have elements."""
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    sizes = [(editor.shape(name) or ())[axis] for name in kept]
    split = helper.make_node("Split", [node.input[0], editor.int64([size or 0 for size in sizes])], kept, node.name)
    set_attribute(split, "axis", axis)
    return split
