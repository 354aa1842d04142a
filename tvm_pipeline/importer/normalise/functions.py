"""A model's own functions, written out where they are called."""

from onnx import ModelProto, inliner


def inline_functions(model: ModelProto) -> None:
    """Replace calls of the model's own functions by their nodes, in place."""
    if model.functions:
        model.CopyFrom(inliner.inline_local_functions(model))
