"""Convolutions whose groups have fewer channels than a block: sums of whole vectors over a spread copy of the input."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block
from tvm_pipeline.hardware.channel_groups import group_sizes
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.cpu.kernel import (
    clear_accumulators,
    split_lanes,
    unroll,
    unroll_while_small,
    vectorize_lanes,
)
from tvm_pipeline.schedules.cpu.register_tile import best_window, vector_knob
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors

STRIPE_BYTES = 128 * 1024
"""Of a stripe's spread input, which stays in any second-level cache."""


class NarrowGroups:
    """A stripe of ``rows`` output rows of one block of channels at a time: its input is padded and spread into a buffer
    that stays in cache, then ``tile_w`` outputs of a row accumulate in registers."""

    name = "narrow_groups"
    version = 1
    kinds = ("narrow_groups",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            "rows": divisors(layer.out_height, layer.out_height),
            "tile_w": divisors(in_whole_tiles(layer.out_width), unit.registers - 4),
            **vector_knob(layer.out_channels, unit),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        return {"rows": _rows_in_cache(layer, knobs["rows"]), **best_window(knobs, "tile_w", "tile_v", unit)}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return decisions["tile_w"] * decisions.get("tile_v", 1) < unit.registers

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        assert kernel.padding is not None
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        stripe, row = schedule.split(y, [None, decisions["rows"]])
        column, pixel = schedule.split(x, [None, decisions["tile_w"]])
        part, lane = split_lanes(schedule, lane, decisions, unit)
        schedule.reorder(n, c, stripe, row, column, *part, pixel, lane)
        stripes = schedule.fuse(n, c, stripe)
        schedule.parallel(stripes)
        schedule.compute_at(kernel.anchor, (column, *part)[-1], preserve_unit_loops=True)
        schedule.compute_at(kernel.padding, stripes, preserve_unit_loops=True)
        _vectorize_copies(schedule, kernel.padding, layer, unit)
        unroll(schedule, pixel, vectorize_lanes(schedule, lane, unit))
        _accumulate(schedule, kernel.anchor, unit, decisions["tile_w"] * decisions.get("tile_v", 1))


def _rows_in_cache(layer: Layer, rows: tuple[int, ...]) -> int:
    """The tallest stripe whose spread input stays in cache, or one of two rows."""
    width = layer.width + layer.padding[1] + layer.padding[3]
    row_bytes = width * group_sizes(layer)[0] * channel_block(layer.out_channels) * 4
    window = (layer.kernel[0] - 1) * layer.dilation[0] + 1
    fitting = [size for size in rows if ((size - 1) * layer.stride[0] + window) * row_bytes <= STRIPE_BYTES]
    return max([*fitting, next((size for size in rows if size >= 2), rows[-1])])


def _vectorize_copies(schedule: Schedule, spread: SBlockRV, layer: Layer, unit: VectorUnit) -> None:
    """One input goes to all lanes of its group at once."""
    outputs, lane = group_sizes(layer)[1], schedule.get_loops(spread)[-1]
    if channel_block(layer.out_channels) % outputs == 0:
        group, lanes = schedule.split(lane, [None, outputs])
        unroll(schedule, group, vectorize_lanes(schedule, lanes, unit))


def _accumulate(schedule: Schedule, anchor: SBlockRV, unit: VectorUnit, sums: int) -> None:
    *_, pixel, lane, ry, rx, ki = schedule.get_loops(anchor)
    schedule.reorder(ry, rx, ki, pixel, lane)
    unroll(schedule, pixel, vectorize_lanes(schedule, lane, unit))
    unroll_while_small(schedule, (ki, rx, ry), sums)
    clear_accumulators(schedule, schedule.decompose_reduction(anchor, ry), tile_loops=2)
