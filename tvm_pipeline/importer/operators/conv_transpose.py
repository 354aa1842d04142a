"""ConvTranspose with its padding in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, constant
from tvm_pipeline.passes.dataflow import constant_of, shape_of

_LAYOUTS = {2: ("NCHW", "IOHW"), 3: ("NCDHW", "IODHW")}


@dataclass(frozen=True)
class TransposedAxis:
    """One spatial axis: ``before`` and ``after`` are cut off the full result (negative: zeros are added)."""

    length: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def output_padding(self) -> int:
        """What the operator itself can add at the end."""
        return min(max(-self.after, 0), self.stride - 1)

    @property
    def added(self) -> tuple[int, int]:
        """Zeros that are to be added at the beginning and at the end."""
        return max(-self.before, 0), max(-self.after, 0) - self.output_padding


def convert_conv_transpose(node: Node) -> relax.Expr:
    """ConvTranspose-1 to 22; one of one dimension is one of two with a row.

    :raises Unsupported: more than three spatial dimensions.
    """
    data, weight = node.data, node.tensor(1)
    axes = _axes(node, shape_of(weight)[2:])
    if len(axes) == 1:
        axes = [TransposedAxis(1, 1, 1, 1, 0, 0), *axes]
        data, weight = (node.emit(relax.op.expand_dims(value, 2)) for value in (data, _folded(weight)))
    result = transposed(node, data, weight, axes, int(node.get("group", 1)))
    if node.has(2):
        bias = relax.op.reshape(node.tensor(2), (1, -1, *[1] * len(axes)))
        result = node.emit(relax.op.add(result, node.emit(bias)))
    return relax.op.squeeze(result, [2]) if len(node.shape) == 3 else result


def _folded(weight: relax.Expr) -> relax.Expr:
    value = constant_of(weight)
    return weight if value is None else constant(np.ascontiguousarray(value))


def transposed(
    node: Node, data: relax.Expr, weight: relax.Expr, axes: Sequence[TransposedAxis], groups: int
) -> relax.Expr:
    """The transposed convolution of two or three dimensions, cut or filled up as the axes say."""
    layout, kernel_layout = _LAYOUTS[len(axes)]
    operator = relax.op.nn.conv2d_transpose if len(axes) == 2 else relax.op.nn.conv3d_transpose
    result = node.emit(
        operator(
            data,
            weight,
            strides=[axis.stride for axis in axes],
            padding=[max(axis.before, 0) for axis in axes] + [max(axis.after, 0) for axis in axes],
            output_padding=[axis.output_padding for axis in axes],
            dilation=[axis.dilation for axis in axes],
            groups=groups,
            data_layout=layout,
            kernel_layout=kernel_layout,
        )
    )
    if not any(any(axis.added) for axis in axes):
        return result
    widths = [0, 0, 0, 0, *(width for axis in axes for width in axis.added)]
    return node.emit(relax.op.nn.pad(result, widths))


def _axes(node: Node, kernel: Sequence[int]) -> list[TransposedAxis]:
    lengths = node.shape[2:]
    if not 1 <= len(lengths) <= 3:
        raise Unsupported(f"{len(lengths)} spatial dimensions: there are kernels for 1 to 3")
    ones, zeros = [1] * len(lengths), [0] * len(lengths)
    strides, dilations = node.get("strides", ones), node.get("dilations", ones)
    extra = node.get("output_padding", zeros)
    full = [(n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zip(lengths, kernel, strides, dilations, strict=True)]
    before, after = _cuts(node, full, [n * s for n, s in zip(lengths, strides, strict=True)], extra)
    return [TransposedAxis(*values) for values in zip(lengths, kernel, strides, dilations, before, after, strict=True)]


def _cuts(node: Node, full: Sequence[int], same: Sequence[int], extra: Sequence[int]) -> tuple[list[int], list[int]]:
    """What is cut off the full result at the beginnings and at the ends.

    :param full: lengths of the whole result.
    :param same: lengths that ``auto_pad`` SAME asks for.
    :param extra: ``output_padding``, which lengthens the ends.
    """
    mode = node.get("auto_pad", "NOTSET")
    wanted = node.get("output_shape", same if mode.startswith("SAME") else None)
    if wanted is None:
        pads = [0] * 2 * len(full) if mode == "VALID" else list(node.get("pads", [0] * 2 * len(full)))
        ends = zip(pads[len(full) :], extra, strict=True)
        return pads[: len(full)], [pad - added for pad, added in ends]
    before, after = [], []
    for whole, length, added in zip(full, list(wanted)[-len(full) :], extra, strict=True):
        total = max(whole + added - length, 0) if "output_shape" not in node.attributes else whole + added - length
        first = total // 2 if mode == "SAME_UPPER" else total - total // 2
        before.append(first)
        after.append(total - first - added)
    return before, after
