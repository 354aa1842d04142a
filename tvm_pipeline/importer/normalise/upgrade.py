"""All nodes as the newest opset has them.

TVM's ``get_converter`` reads a node whose opset it has no converter for by a newer one, which is wrong wherever ONNX
changed the operator in between. ``onnx.version_converter`` lacks many of these steps, and loses bodies and names.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, defs, helper

from tvm_pipeline.importer.normalise.editor import (
    ONNX_DOMAINS,
    Editor,
    attribute,
    graphs_of,
    keep_attributes,
    replace_all,
)
from tvm_pipeline.importer.normalise.upgrades import attributes, broadcasting, norms, resampling, softmax

OPSET = 21
"""The newest for all of whose operators ONNX Runtime 1.32 has kernels (it lacks GlobalLpPool-22 and RoiAlign-22),
without which it simplifies nothing. A newer file stays as it is: from 22 on ONNX added types and operators, and changed
none that TVM 0.27 reads."""
_IR_VERSION = 10  # that of opset 21

Rewrite = Callable[[NodeProto, Editor], list[NodeProto]]


@dataclass(frozen=True)
class Step:
    """A change of some operators.

    :ivar before: the opset that changed them: a step is for nodes of older ones.
    :ivar rewrite: gives the nodes that take a node's place; it may change the node itself.
    """

    operators: tuple[str, ...]
    before: int
    rewrite: Rewrite


STEPS = (
    Step(broadcasting.BINARY, 7, broadcasting.numpy_broadcasting),
    Step(("Gemm",), 7, broadcasting.numpy_broadcasting),
    Step(("PRelu",), 7, broadcasting.slope_per_channel),
    Step(("Cast",), 6, attributes.cast_by_number),
    Step(("LpPool", "GlobalLpPool"), 2, attributes.whole_exponent),
    Step(("Tile",), 6, attributes.tile_by_repeats),
    Step(("Upsample",), 7, attributes.upsample_scales),
    Step(("Reshape",), 5, attributes.attributes_to_inputs),
    Step(("Upsample",), 9, attributes.attributes_to_inputs),
    Step(("Slice", "TopK"), 10, attributes.attributes_to_inputs),
    Step(("Clip", "Pad"), 11, attributes.attributes_to_inputs),
    Step(("Dropout",), 12, attributes.attributes_to_inputs),
    Step(("ReduceSum", "Split", "Squeeze", "Unsqueeze"), 13, attributes.attributes_to_inputs),
    Step(tuple(r for r in attributes.REDUCTIONS if r != "ReduceSum"), 18, attributes.attributes_to_inputs),
    Step(("DFT",), 20, attributes.transform_axis),
    Step(("Split",), 18, attributes.count_outputs),
    Step(("BatchNormalization",), 9, norms.batch_normalization),
    Step(("GroupNormalization",), 21, norms.scale_per_channel),
    Step(("Upsample", "Resize"), 11, resampling.to_resize),
    Step(("RoiAlign",), 16, resampling.roi_coordinates),
    Step(("GridSample",), 20, resampling.grid_mode),
    Step(("Softmax", "LogSoftmax", "Hardmax"), 13, softmax.over_one_axis),
)
"""In this order; every node passes all that are for its operator."""
_RENAMED = {"Scatter": "ScatterElements"}


def upgrade(model: ModelProto) -> None:
    """Make a model of an older opset one of :data:`OPSET`, in place."""
    editor = Editor(model)
    if editor.opset >= OPSET:
        return
    _upgrade_graph(model.graph, editor)
    others = [opset for opset in model.opset_import if opset.domain not in ONNX_DOMAINS]
    replace_all(model.opset_import, [helper.make_opsetid("", OPSET), *others])
    model.ir_version = max(model.ir_version, _IR_VERSION)


def _upgrade_graph(graph: GraphProto, editor: Editor) -> None:
    nodes = [new for node in graph.node for new in _upgraded(node, editor)]
    replace_all(graph.node, nodes)


def _upgraded(node: NodeProto, editor: Editor) -> list[NodeProto]:
    if node.domain not in ONNX_DOMAINS:
        return [node]
    node = _copy(node)
    _write_old_defaults(node, editor.opset)
    node.op_type = _RENAMED.get(node.op_type, node.op_type)
    nodes = [node]
    for step in STEPS:
        if editor.opset < step.before:
            nodes = [new for old in nodes for new in _apply(step, old, editor)]
    for new in nodes:
        _drop_unknown(new)
        for inner in graphs_of(new):
            _upgrade_graph(inner, editor)
    return nodes


def _apply(step: Step, node: NodeProto, editor: Editor) -> Iterable[NodeProto]:
    return step.rewrite(node, editor) if node.op_type in step.operators else [node]


def _copy(node: NodeProto) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def schema(operator: str, opset: int) -> defs.OpSchema | None:
    """What ONNX says of an operator at an opset; None where it knows none."""
    try:
        return defs.get_schema(operator, opset, "")
    except defs.SchemaError:
        return None


def _write_old_defaults(node: NodeProto, opset: int) -> None:
    """Write out what an attribute is by default where that changed, or the attribute went."""
    old, new = schema(node.op_type, opset), schema(node.op_type, OPSET)
    if old is None:
        return
    known = {} if new is None or new.deprecated else new.attributes
    for name, described in old.attributes.items():
        default = described.default_value
        changed = name not in known or known[name].default_value != default
        if default.name and changed and attribute(node, name) is None:
            copy = AttributeProto()
            copy.CopyFrom(default)
            node.attribute.append(copy)


def _drop_unknown(node: NodeProto) -> None:
    """Drop what the newest opset has no attribute for and no step took: hints of opsets before 7."""
    new = schema(node.op_type, OPSET)
    if new is not None and not new.deprecated:
        keep_attributes(node, lambda old: old.name in new.attributes)
