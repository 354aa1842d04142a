"""SpaceToDepth and Col2Im."""

from math import prod

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.conv_transpose import TransposedAxis, transposed
from tvm_pipeline.importer.operators.node import Node, Unsupported, constant

_ORDERS = {"DCR": (0, 3, 5, 1, 2, 4), "CRD": (0, 1, 3, 5, 2, 4)}


def convert_space_to_depth(node: Node) -> relax.Expr:
    """SpaceToDepth-1 to 28: a block's pixels before its channels (DCR), or after them (CRD)."""
    size, (batch, channels, height, width) = int(node.attributes["blocksize"]), node.shape
    split = (batch, channels, height // size, size, width // size, size)
    blocks = node.emit(relax.op.reshape(node.data, split))
    ordered = node.emit(relax.op.permute_dims(blocks, _ORDERS[node.get("mode", "DCR")]))
    return relax.op.reshape(ordered, (batch, channels * size * size, height // size, width // size))


def convert_col2im(node: Node) -> relax.Expr:
    """Col2Im-18: a ConvTranspose whose weights put each column to its place.

    :raises Unsupported: other than two or three spatial dimensions.
    """
    image, block = (_sizes(node, index) for index in (1, 2))
    if len(image) not in (2, 3):
        raise Unsupported(f"{len(image)} spatial dimensions: there are kernels for 2 and 3")
    ones = [1] * len(image)
    strides, dilations = node.get("strides", ones), node.get("dilations", ones)
    pads = node.get("pads", [0] * 2 * len(image))
    axes, counts = [], []
    for axis, (size, kernel, stride, dilation) in enumerate(zip(image, block, strides, dilations, strict=True)):
        before, after = pads[axis], pads[axis + len(image)]
        reach = dilation * (kernel - 1) + 1
        counts.append((size + before + after - reach) // stride + 1)
        whole = (counts[-1] - 1) * stride + reach
        axes.append(TransposedAxis(counts[-1], kernel, stride, dilation, before, whole - before - size))
    taps = prod(block)
    channels = node.shape[1] // taps
    columns = node.emit(relax.op.reshape(node.data, (node.shape[0], node.shape[1], *counts)))
    places = np.tile(np.eye(taps, dtype=node.dtype).reshape(taps, 1, *block), (channels, *ones, 1))
    return transposed(node, columns, constant(places), axes, channels)


def _sizes(node: Node, index: int) -> list[int]:
    value = node.constant(index)
    assert value is not None
    return [int(extent) for extent in value]
