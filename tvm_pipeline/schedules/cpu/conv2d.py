"""Standard convolutions: a register tile of ``tile_w`` pixels of one row by ``tile_n`` channel blocks."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.cpu.kernel import (
    RegisterTile,
    clear_accumulators,
    nest_register_tile,
    split_lanes,
    unroll,
    vectorize_lanes,
    vectorize_rows,
)
from tvm_pipeline.schedules.cpu.register_tile import best_tile, is_worth_measuring, tile_width, vector_knob
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors

PIXELS_OUTER, CHANNELS_OUTER = 0, 1


class Conv2d:
    """The whole input is padded first; then every tile of outputs accumulates over input blocks and the window."""

    name = "conv2d"
    version = 2
    kinds = ("conv2d",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        blocks = padded_channels(layer.out_channels) // channel_block(layer.out_channels)
        return {
            "tile_w": divisors(layer.out_width, unit.registers - 2),
            "tile_n": divisors(blocks, 8),
            **vector_knob(layer.out_channels, unit),
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_window": (0, 1),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        # strided planes are read a value at a time, by their addresses: half of the registers hide it best
        most = unit.registers if is_blockable(layer.in_channels) else unit.registers // 2
        outer = CHANNELS_OUTER if is_blockable(layer.in_channels) else PIXELS_OUTER
        return {
            **best_tile(knobs, "tile_w", unit, most),
            "outer": outer,
            "unroll_window": int(not is_blockable(layer.in_channels)),
        }

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return is_worth_measuring(decisions["tile_w"], tile_width(decisions), unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        if kernel.padding is not None:
            vectorize_rows(schedule, kernel.padding, unit)
            schedule.parallel(schedule.fuse(*schedule.get_loops(kernel.padding)[:3]))
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, decisions["tile_n"]])
        xo, xi = schedule.split(x, [None, decisions["tile_w"]])
        part, lane = split_lanes(schedule, lane, decisions, unit)
        outer = (*((y, xo, co) if decisions["outer"] == PIXELS_OUTER else (co, y, xo)), *part)
        schedule.reorder(n, *outer, ci, xi, lane)
        tiles = schedule.fuse(n, *outer)
        schedule.parallel(tiles)
        schedule.compute_at(kernel.anchor, tiles, preserve_unit_loops=True)
        unroll(schedule, ci, xi, vectorize_lanes(schedule, lane, unit))
        self._accumulate(schedule, kernel.anchor, layer, unit, bool(decisions["unroll_window"]))

    @staticmethod
    def _accumulate(schedule: Schedule, anchor: SBlockRV, layer: Layer, unit: VectorUnit, unroll_window: bool) -> None:
        reductions = 4 if is_blockable(layer.in_channels) else 3
        loops = schedule.get_loops(anchor)
        _, ci, _, xi, lane = loops[-reductions - 5 : -reductions]
        ko, ry, rx, *ki = loops[-reductions:]
        tile = nest_register_tile(schedule, (ko, ry, rx, *ki), RegisterTile(xi, ci, lane), unit)
        if unroll_window:
            unroll(schedule, ry, rx)
        # the row's loop, of one pass, lies around the tile
        clear_accumulators(schedule, schedule.decompose_reduction(anchor, ko), len(tile) + 1)
