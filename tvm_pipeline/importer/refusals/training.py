"""Operators in training mode."""

from onnx import ModelProto, NodeProto

from tvm_pipeline.importer.normalise.editor import Editor, attribute
from tvm_pipeline.importer.refusals.where import refusal

_EXPORT = "export the network in evaluation mode (PyTorch: model.eval())"


def refuse_training(model: ModelProto) -> None:
    """:raises UserError: a BatchNormalization takes its statistics from the batch, or a Dropout drops."""
    editor = Editor(model)
    for node in model.graph.node:
        if node.op_type == "BatchNormalization" and _of_batch(node):
            raise refusal(node, f"is in training mode, its statistics are those of the batch: {_EXPORT}")
        if node.op_type == "Dropout" and _drops(node, editor):
            raise refusal(node, f"is in training mode, it drops values at random: {_EXPORT}")


def _of_batch(node: NodeProto) -> bool:
    """More than one result that is read means training before opset 14, which has an attribute for it."""
    mode = attribute(node, "training_mode")
    return len(node.output) > 1 or (mode is not None and bool(mode.i))


def _drops(node: NodeProto, editor: Editor) -> bool:
    if len(node.input) < 3 or not node.input[2]:
        return False
    mode, ratio = editor.value(node.input[2]), editor.value(node.input[1]) if node.input[1] else None
    drops_nothing = ratio is not None and not ratio.any()
    return (mode is None or bool(mode.any())) and not drops_nothing
