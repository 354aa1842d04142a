"""Attributes that became inputs."""

from dataclasses import dataclass

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto, helper

from tvm_pipeline.importer.normalise.editor import Editor, take_attribute


@dataclass(frozen=True)
class Moved:
    """An attribute that became an input.

    :ivar position: among the node's inputs.
    :ivar dtype: of the input; None for that of the node's first input.
    :ivar scalar: whether it is of rank 0.
    """

    attribute: str
    position: int
    dtype: type | None = np.int64
    scalar: bool = False


MOVED = {
    "Clip": (Moved("min", 1, None, True), Moved("max", 2, None, True)),
    "DFT": (Moved("axis", 2, np.int64, True),),
    "Dropout": (Moved("ratio", 1, np.float32, True),),
    "Pad": (Moved("pads", 1), Moved("paddings", 1), Moved("value", 2, None, True)),
    "Reshape": (Moved("shape", 1),),
    "Slice": (Moved("starts", 1), Moved("ends", 2), Moved("axes", 3)),
    "Split": (Moved("split", 1),),
    "Squeeze": (Moved("axes", 1),),
    "TopK": (Moved("k", 1),),
    "Unsqueeze": (Moved("axes", 1),),
    "Upsample": (Moved("scales", 1, np.float32),),
}
REDUCTIONS = (
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax"),
    *("ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
)
_AXES = (Moved("axes", 1),)


def attributes_to_inputs(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """Clip-6, Dropout-7, Pad-2, Reshape-1, Slice-1, Split-2, Squeeze-1, TopK-1, Unsqueeze-1, Upsample-7, reductions."""
    for moved in MOVED.get(node.op_type, _AXES):
        attribute = take_attribute(node, moved.attribute)
        if attribute is not None:
            value = np.asarray(helper.get_attribute_value(attribute), _dtype(moved, node, editor))
            while len(node.input) <= moved.position:
                node.input.append("")
            node.input[moved.position] = editor.constant(value if moved.scalar else value.reshape(-1))
    return [node]


def _dtype(moved: Moved, node: NodeProto, editor: Editor) -> np.dtype:
    return np.dtype(moved.dtype) if moved.dtype is not None else editor.dtype(node.input[0]) or np.dtype(np.float32)


def transform_axis(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """DFT-17, whose axis is 1 where it does not say."""
    axis = take_attribute(node, "axis")
    node.attribute.append(axis or helper.make_attribute("axis", 1))
    return attributes_to_inputs(node, editor)


def count_outputs(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """Split, which says since opset 18 into how many parts where no sizes are given."""
    if len(node.input) < 2 or not node.input[1]:
        take_attribute(node, "num_outputs")
        node.attribute.append(helper.make_attribute("num_outputs", len(node.output)))
    return [node]


def upsample_scales(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """Upsample-1, which has a factor for the height and one for the width."""
    height, width = take_attribute(node, "height_scale"), take_attribute(node, "width_scale")
    if height is not None and width is not None:
        node.attribute.append(helper.make_attribute("scales", [1.0, 1.0, height.f, width.f]))
    return [node]


def cast_by_number(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """Cast-1, which names its type."""
    to = take_attribute(node, "to")
    if to is not None:
        number = TensorProto.DataType.Value(to.s.decode().upper()) if to.type == AttributeProto.STRING else to.i
        node.attribute.append(helper.make_attribute("to", number))
    return [node]


def whole_exponent(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """LpPool-1 and GlobalLpPool-1, whose ``p`` is a float."""
    p = take_attribute(node, "p")
    if p is not None:
        node.attribute.append(helper.make_attribute("p", int(p.f) if p.type == AttributeProto.FLOAT else p.i))
    return [node]


def tile_by_repeats(node: NodeProto, editor: Editor) -> list[NodeProto]:
    """Tile-1, which repeats along one axis."""
    shape = editor.shape(node.input[0])
    times, axis = (editor.value(name) for name in node.input[1:])
    if shape is not None and times is not None and axis is not None:
        repeats = [1] * len(shape)
        repeats[int(axis)] = int(times)
        del node.input[1:]
        node.input.append(editor.int64(repeats))
    return [node]
