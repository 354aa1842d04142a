"""How the first layer's window, over an image's planes, is cut into pairs of columns for dot products. Free of TVM.

Rows are copied with a margin of zeros to both sides, so that what is copied stays whole vectors.
"""

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import is_blockable
from tvm_pipeline.hardware.whole_tiles import widened

PAIR = 2
MARGIN = 16
"""Columns to the left and to the right of a copied row."""


def zeros_before(layer: Layer) -> int:
    """Weights of zero before those of a window's row: so a pair begins where a pair of columns does."""
    return layer.padding[1] % PAIR


def window_pairs(layer: Layer) -> int:
    """Pairs of columns that a window's row takes."""
    return -(-(layer.kernel[1] + zeros_before(layer)) // PAIR)


def first_column(layer: Layer) -> int:
    """Of a copied row: where the first window's first pair begins."""
    return MARGIN - layer.padding[1] - zeros_before(layer)


def takes_column_pairs(layer: Layer) -> bool:
    """Whether rows are copied by whole vectors, and all windows lie within a row and its margins."""
    columns = widened(layer).out_width
    end = first_column(layer) + (columns - 1) * layer.stride[1] + window_pairs(layer) * PAIR
    is_whole = layer.width % MARGIN == 0 and layer.dilation == (1, 1)
    is_first = layer.kind == "conv2d" and not is_blockable(layer.in_channels)
    return is_first and is_whole and first_column(layer) >= 0 and end <= layer.width + 2 * MARGIN
