"""No number of pixels is without a good tile, and none costs more than a few pixels for it."""

from __future__ import annotations

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.whole_tiles import (
    MOST_DROPPED,
    MOST_IN_ONE,
    TILES,
    in_whole_tiles,
    overhanging_tiles,
    widened,
    with_overhang,
)


def test_every_extent_is_cut_into_good_tiles_at_little_cost() -> None:
    for extent in range(MOST_IN_ONE + 1, 3000):
        computed = in_whole_tiles(extent)
        assert any(computed % tile == 0 for tile in TILES)
        assert 0 <= computed - extent <= max(1, 0.06 * extent)


def test_sizes_of_mobilenets_are_computed_as_they_are() -> None:
    for resolution in (128, 160, 192, 224, 256):
        for size in (resolution // 2**halvings for halvings in range(1, 6)):
            assert in_whole_tiles(size) == size
            assert in_whole_tiles(size * size) == size * size


def test_sixteen_registers_have_a_tile_with_enough_sums_for_any_image() -> None:
    for size in range(5, 225):
        pixels = size * size
        tiles = overhanging_tiles(pixels)
        assert tiles
        for tile in tiles:
            end = -(-pixels // tile) * tile
            assert end <= with_overhang(pixels)
            assert end - pixels <= MOST_DROPPED * pixels


def test_a_widened_layer_has_the_columns_that_are_computed() -> None:
    for text in (
        "conv2d 9x73x16->16 k3x3 s1 p0",
        "conv2d 9x146x16->16 k3x5 s1x3 p0,2,1,0 d1x2",
        "max_pool 9x38x16 k2x2 s2 p0",
    ):
        layer = Layer.parse(text)
        assert widened(layer).out_width == in_whole_tiles(layer.out_width) > layer.out_width
        assert widened(layer).out_height == layer.out_height
    whole = Layer.parse("conv2d 9x56x16->16 k3x3 s1 p1")
    assert widened(whole) == whole
