"""Softmax, LogSoftmax and Hardmax before opset 13: over all dimensions from ``axis`` on."""

from onnx import NodeProto, helper

from tvm_pipeline.importer.normalise.editor import Editor, set_attribute, take_attribute


def over_one_axis(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """One axis where the others from there on have one element; else the tensor is flattened before and restored."""
    attribute = take_attribute(node, "axis")
    axis = 1 if attribute is None else attribute.i
    shape = editor.shape(node.input[0])
    if shape is not None:
        axis %= max(len(shape), 1)
        long = [position for position in range(axis, len(shape)) if shape[position] != 1]
        if len(long) <= 1:
            set_attribute(node, "axis", next(iter(long), axis))
            return [node]
    return _flattened(node, axis, editor)


def _flattened(node: NodeProto, axis: int, editor: Editor) -> list[NodeProto]:
    data, result = node.input[0], node.output[0]
    flat, made, shape = (editor.fresh(f"{result}_{part}") for part in ("flat", "made", "shape"))
    inner = helper.make_node(node.op_type, [flat], [made], node.name, axis=-1)
    return [
        helper.make_node("Flatten", [data], [flat], axis=axis),
        inner,
        helper.make_node("Shape", [data], [shape]),
        helper.make_node("Reshape", [made, shape], [result], allowzero=1),
    ]
