"""``padding="same"`` in figures: the exporters leave it to ONNX's auto_pad, which readers of ONNX take differently.

With a dilation or an even kernel ONNX Runtime refuses it or PyTorch and others pad another side. PyTorch pads
``dilation * (kernel - 1)`` elements in all, and the odd one behind (torch.nn.functional.conv2d).
"""

from __future__ import annotations

import onnx

_SAME, _VALID = b"SAME_UPPER", b"VALID"


def spell_out_padding(graph: onnx.GraphProto) -> None:
    """Give every convolution of stride 1 with auto_pad its pads, in place."""
    for node in graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        mode = attributes["auto_pad"].s if "auto_pad" in attributes else b""
        if node.op_type == "Conv" and mode in (_SAME, _VALID):
            node.attribute.remove(attributes["auto_pad"])
            node.attribute.append(onnx.helper.make_attribute("pads", _pads(attributes, mode)))


def _pads(attributes: dict[str, onnx.AttributeProto], mode: bytes) -> list[int]:
    kernel = attributes["kernel_shape"].ints
    dilations = attributes["dilations"].ints if "dilations" in attributes else [1] * len(kernel)
    whole = [(size - 1) * dilation * (mode == _SAME) for size, dilation in zip(kernel, dilations, strict=True)]
    return [size // 2 for size in whole] + [size - size // 2 for size in whole]
