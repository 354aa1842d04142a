"""A transposed convolution as ordinary ones: each makes every ``stride``-th result, so that no zero is ever multiplied
(as sub-pixel convolutions do, arXiv 1609.07009)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

NO_TAP = -1


@dataclass(frozen=True)
class Phase:
    """Along one axis, every ``stride``-th result from some first one: an ordinary convolution with stride 1.

    :ivar taps: places in the transposed kernel that meet the inputs from first to last, ``NO_TAP`` for a zero.
    :ivar dilation: inputs from one tap to the next.
    :ivar before: zeros that the input begins with.
    :ivar after: zeros that it ends with.
    """

    taps: tuple[int, ...]
    dilation: int
    before: int
    after: int

    @property
    def window(self) -> tuple[int, int, int, int]:
        """What phases have to share, to be one convolution: number of taps, dilation, padding."""
        return len(self.taps), self.dilation, self.before, self.after


def phases_along(extent: int, results: int, kernel: int, stride: int, dilation: int, cropped: int) -> list[Phase]:
    """The phases of one axis, that of the first result first.

    :param extent: of the input; ``results`` of the output.
    :param cropped: results that are dropped at the beginning (ONNX ``pads``).
    """
    return [
        _phase(extent, -(-(results - first) // stride), kernel, stride, dilation, first + cropped)
        for first in range(min(stride, results))
    ]


def _phase(extent: int, results: int, kernel: int, stride: int, dilation: int, first: int) -> Phase:
    step = dilation // gcd(dilation, stride)
    reached = [
        (tap, (first - tap * dilation) // stride) for tap in range(kernel) if (first - tap * dilation) % stride == 0
    ]
    reached = reached[::-1] or [(NO_TAP, 0)]  # the last tap meets the first input
    (_, nearest), (_, farthest) = reached[0], reached[-1]
    needless = max(0, -(-nearest // step))
    taps = (*[NO_TAP] * needless, *(tap for tap, _ in reached))
    return Phase(taps, step, max(0, needless * step - nearest), max(0, results - 1 + farthest - (extent - 1)))


def filters_of(weight: np.ndarray, rows: Phase, columns: Phase) -> np.ndarray:
    """The filters of one convolution, ``[C, K, taps, taps]``, out of those of the transposed one ``[C, K, kh, kw]``."""
    bordered = np.pad(weight, [(0, 0), (0, 0), (0, 1), (0, 1)])  # NO_TAP is the last
    return np.ascontiguousarray(bordered[:, :, list(rows.taps)][:, :, :, list(columns.taps)])


def alike(rows: Sequence[Phase], columns: Sequence[Phase], *, join: bool) -> list[list[tuple[int, int]]]:
    """The pairs of phases of rows and of columns, together where their windows are the same and ``join`` allows it."""
    pairs = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
    if not join:
        return [[pair] for pair in pairs]
    windows = {pair: (rows[pair[0]].window, columns[pair[1]].window) for pair in pairs}
    return [[pair for pair in pairs if windows[pair] == window] for window in _unique(windows.values())]


def _unique(values: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return list(dict.fromkeys(values))
