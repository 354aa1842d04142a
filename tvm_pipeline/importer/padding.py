"""Writes ONNX's ``auto_pad`` out as numbers: TVM's importer pads by a kernel of its own, and MaxPool wrongly."""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import helper

_PADDED = ("Conv", "MaxPool", "AveragePool", "LpPool")


def explicit_padding(model: onnx.ModelProto) -> None:
    """Replaces ``auto_pad`` SAME_UPPER and SAME_LOWER in place, wherever the input's size is known."""
    waiting = [node for node in model.graph.node if node.op_type in _PADDED and _mode(node).startswith("SAME")]
    if not waiting:
        return
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {value.name: _shape(value) for value in (*graph.input, *graph.value_info)}
    weights = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in waiting:
        attributes = _attributes(node)
        size = shapes.get(node.input[0], [])[2:]
        kernel = attributes.get("kernel_shape") or weights.get(node.input[-1 if len(node.input) < 2 else 1], [])[2:]
        if not size or 0 in size or len(kernel) != len(size):
            continue
        ones = [1] * len(size)
        pads = same_padding(
            size,
            kernel,
            attributes.get("strides", ones),
            attributes.get("dilations", ones),
            _mode(node) == "SAME_LOWER",
        )
        kept = [attribute for attribute in node.attribute if attribute.name not in ("auto_pad", "pads")]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("pads", pads)])


def same_padding(
    size: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], lower: bool
) -> list[int]:
    """ONNX's ``pads``, all begins and then all ends, that make the output ``ceil(size / stride)``.

    An odd pixel goes to the end, or to the beginning where ``lower``.
    """
    before, after = [], []
    for extent, window, stride, dilation in zip(size, kernel, strides, dilations, strict=True):
        outputs = -(-extent // stride)
        total = max((outputs - 1) * stride + (window - 1) * dilation + 1 - extent, 0)
        first = -(-total // 2) if lower else total // 2
        before.append(first)
        after.append(total - first)
    return before + after


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _mode(node: onnx.NodeProto) -> str:
    return str(_attributes(node).get("auto_pad", b"NOTSET"), "utf-8")


def _shape(value: onnx.ValueInfoProto) -> list[int]:
    return [int(dimension.dim_value) for dimension in value.type.tensor_type.shape.dim]
