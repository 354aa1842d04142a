"""Operators without a converter."""

from onnx import ModelProto

from tvm_pipeline.importer.refusals.where import refusal


def refuse_unconverted(model: ModelProto) -> None:
    """:raises UserError: nothing converts a node's operator; the first such node is named."""
    from tvm_pipeline.importer.overrides import converted_operators

    known = {*converted_operators(), "Constant"}
    for node in model.graph.node:
        if node.op_type not in known:
            raise refusal(
                node, "is not supported, by TVM's ONNX importer neither: replace it in the model by other operators"
            )
