"""Where the windows of a pooling operator lie: ONNX's output sizes, padding in numbers, elements per window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_pipeline.importer.operators.node import Node, Unsupported
from tvm_pipeline.importer.padding import same_padding


@dataclass(frozen=True)
class Window:
    """Along one axis.

    :ivar before: padding at the beginning.
    :ivar after: padding at the end, as the model has it.
    :ivar outputs: the length of the output.
    """

    length: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    outputs: int

    @property
    def covered_after(self) -> int:
        """The padding at the end with which rounding down makes ``outputs`` windows."""
        reach = (self.outputs - 1) * self.stride + self._extent - self.length - self.before
        return max(reach, min(self.after, reach + self.stride - 1), 0)

    @property
    def _extent(self) -> int:
        return (self.kernel - 1) * self.dilation + 1

    def positions(self) -> np.ndarray:
        """``[outputs, kernel]``: the input's elements that each window reads, some of them outside."""
        starts = np.arange(self.outputs)[:, None] * self.stride - self.before
        return starts + np.arange(self.kernel) * self.dilation

    def count(self, *, include_padding: bool) -> np.ndarray:
        """``[outputs]``: how many elements each window has; ``ceil_mode`` adds none beyond the padding."""
        first, last = (-self.before, self.length + self.after) if include_padding else (0, self.length)
        positions = self.positions()
        return np.asarray(((positions >= first) & (positions < last)).sum(axis=1))


def windows_of(node: Node) -> list[Window]:
    """One for each spatial axis of the first input.

    :raises Unsupported: more than three spatial axes, or a window that is larger than its padded input.
    """
    lengths = node.shape[2:]
    if not 1 <= len(lengths) <= 3:
        raise Unsupported(f"{len(lengths)} spatial dimensions: there are kernels for 1 to 3")
    ones = [1] * len(lengths)
    kernel = [int(extent) for extent in node.attributes["kernel_shape"]]
    strides, dilations = list(node.get("strides", ones)), list(node.get("dilations", ones))
    pads, is_ceil = _pads(node, lengths, kernel, strides, dilations), bool(node.get("ceil_mode", 0))
    before, after = pads[: len(lengths)], pads[len(lengths) :]
    axes = zip(lengths, kernel, strides, dilations, before, after, strict=True)
    return [_window(is_ceil, *axis) for axis in axes]


def _pads(
    node: Node, lengths: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[int]:
    mode = node.get("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        return same_padding(lengths, kernel, strides, dilations, mode == "SAME_LOWER")
    return [0] * 2 * len(lengths) if mode == "VALID" else [int(pad) for pad in node.get("pads", [0] * 2 * len(lengths))]


def _window(is_ceil: bool, length: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> Window:
    """A window that would begin in the padding at the end is none."""
    room = length + before + after - ((kernel - 1) * dilation + 1)
    if room < 0:
        raise Unsupported(f"a window of {kernel} with dilation {dilation} is larger than its padded input of {length}")
    outputs = room // stride + 1
    if is_ceil:
        outputs = math.ceil(room / stride) + 1
        outputs -= (outputs - 1) * stride >= length + before
    return Window(length, kernel, stride, dilation, before, after, outputs)
