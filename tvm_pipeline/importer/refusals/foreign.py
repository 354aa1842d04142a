"""Operators that are not ONNX's own."""

from onnx import ModelProto

from tvm_pipeline.importer.normalise.editor import ONNX_DOMAINS
from tvm_pipeline.importer.refusals.where import refusal

_OF_ONNX_RUNTIME = ("com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc")
_TAKEN = ("BiasGelu", "FastGelu", "SkipLayerNormalization")
"""Of com.microsoft, what TVM reads right."""


def refuse_foreign(model: ModelProto) -> None:
    """:raises UserError: an operator is ONNX Runtime's own, or of a domain that nobody here knows."""
    for node in model.graph.node:
        if node.domain in ONNX_DOMAINS or (node.domain == "com.microsoft" and node.op_type in _TAKEN):
            continue
        if node.domain in _OF_ONNX_RUNTIME:
            raise refusal(
                node, "is ONNX Runtime's own, written by its optimiser: compile the file as it was before that"
            )
        raise refusal(node, f"is of the domain {node.domain!r}, which is not ONNX's: replace it in the model")
