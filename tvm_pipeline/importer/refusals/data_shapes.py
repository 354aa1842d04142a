"""Shapes that depend on the data, and where to cut a network before them."""

from collections.abc import Collection, Iterator

from onnx import ModelProto, NodeProto

from tvm_pipeline.importer.normalise.editor import constants_of, values_read
from tvm_pipeline.importer.refusals.where import refusal

_BY_VALUES = {"NonMaxSuppression": (0, 1), "NonZero": (0,), "Unique": (0,)}
"""How many elements the result has follows from these operands."""
_BY_OPERANDS = {
    "CenterCropPad": (1,),
    "Compress": (1,),
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "OneHot": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Unsqueeze": (1,),
    "Upsample": (1,),
}
"""These operands say the shape of the result."""
_AXES = 1  # the operand of every reduction that says over which axes
_DECIDING = {**_BY_VALUES, **_BY_OPERANDS}


def refuse_data_shapes(model: ModelProto, names: Collection[str]) -> None:
    """:raises UserError: what a node makes has a shape that is not known before the network runs.

    :param names: of the tensors in the user's file, which ``--outputs`` may name.
    """
    constants = set(constants_of(model.graph))
    dynamic = [node for node in model.graph.node if any(name not in constants for name in _deciding(node))]
    if not dynamic:
        return
    cut = [name for name in _frontier(model, dynamic) if name in names]
    advice = (
        f"compile the network up to there, with --outputs {','.join(cut)}, and do the rest outside"
        if cut
        else "do this outside the network"
    )
    raise refusal(dynamic[0], f"makes a tensor whose shape depends on the data: {advice}")


def _deciding(node: NodeProto) -> Iterator[str]:
    """The operands from which the shape of a node's result follows, besides shapes."""
    positions = (_AXES,) if node.op_type.startswith("Reduce") else _DECIDING.get(node.op_type, ())
    return (node.input[at] for at in positions if at < len(node.input) and node.input[at])


def _frontier(model: ModelProto, dynamic: list[NodeProto]) -> list[str]:
    """The results before the first node of a dynamic shape that such nodes read, and outputs that are none of it."""
    after: set[str] = set()
    before: list[str] = []
    read: set[str] = {value.name for value in model.graph.output}
    starts = {id(node) for node in dynamic}
    for node in model.graph.node:
        if id(node) in starts or after.intersection(node.input):
            after.update(node.output)
            read.update(node.input)
        else:
            before += node.output
    read &= values_read(model.graph)
    return [name for name in before if name in read and name not in after]
