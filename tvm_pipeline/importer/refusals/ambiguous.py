"""Forms of operators about which ONNX and ONNX Runtime, whose numbers a package is held to, differ."""

from onnx import ModelProto, NodeProto, helper

from tvm_pipeline.importer.refusals.where import refusal

_POOLS = ("AveragePool", "LpPool", "MaxPool")


def refuse_ambiguous(model: ModelProto) -> None:
    """:raises UserError: a dilated pooling pads to the same size: ONNX Runtime 1.32 leaves the dilation out of that
    (``ComputePadAndOutputShape``), and the output is smaller."""
    for node in model.graph.node:
        if node.op_type in _POOLS and _pads_dilated(node):
            raise refusal(node, "has dilations and auto_pad, which ONNX and ONNX Runtime read differently: give pads")


def _pads_dilated(node: NodeProto) -> bool:
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if not given.get("auto_pad", b"NOTSET").startswith(b"SAME"):
        return False
    kernel = given["kernel_shape"]
    dilations = given.get("dilations", [1] * len(kernel))
    return any(window > 1 and dilation > 1 for window, dilation in zip(kernel, dilations, strict=True))
