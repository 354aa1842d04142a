"""How many pixels a CPU's kernel computes: as many as there are, or a few more where those make no good tiles."""

from dataclasses import replace
from itertools import count

from mobilenet_tvm.base.layer import Layer

MOST_IN_ONE = 16
"""Pixels that any vector unit's registers take as they are."""

TILES = range(5, 15)
"""Pixels of a tile with enough sums to hide a multiply-add's latency, and few enough for the registers."""

OVERHANGING_TILES = (5, 6)
"""By two vectors they make ten or twelve sums; tiles of four pixels, or of seven by one vector, hide no latency."""

MOST_DROPPED = 1 / 16
"""Of the pixels: tiles of six instead of four make up for a tenth."""


def in_whole_tiles(extent: int) -> int:
    """The least number of pixels, ``extent`` or more, that is a multiple of a good tile (71 is none's)."""
    if extent <= MOST_IN_ONE:
        return extent
    return next(size for size in count(extent) if any(size % tile == 0 for tile in TILES))


def overhanging_tiles(extent: int) -> tuple[int, ...]:
    """Tiles for 16 registers that may end behind the last pixel: what they compute there is dropped."""
    return tuple(tile for tile in OVERHANGING_TILES if -extent % tile <= extent * MOST_DROPPED)


def with_overhang(extent: int) -> int:
    """Pixels up to where the last one of any tile ends."""
    return max([in_whole_tiles(extent), *(extent + -extent % tile for tile in overhanging_tiles(extent))])


def widened(layer: Layer) -> Layer:
    """The layer with zeros to its right for whole tiles of columns; itself where they are whole."""
    columns = in_whole_tiles(layer.out_width)
    if columns == layer.out_width:
        return layer
    top, left, bottom, right = layer.padding
    window = (layer.kernel[1] - 1) * layer.dilation[1] + 1
    read = (columns - 1) * layer.stride[1] + window
    return replace(layer, padding=(top, left, bottom, max(right, read - layer.width - left)))
