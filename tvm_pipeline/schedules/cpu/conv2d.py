"""Standard convolutions: a register tile of ``tile_w`` pixels of one row by ``tile_n`` channel blocks."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, is_blockable
from tvm_pipeline.hardware.column_pairs import MARGIN
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.cpu.dot_products import dot_of_pairs
from tvm_pipeline.schedules.cpu.kernel import (
    CHANNELS_OUTER,
    PIXELS_OUTER,
    RegisterTile,
    clear_accumulators,
    compute_by_tiles,
    cut_tiles,
    nest_register_tile,
    unroll,
    vectorize_rows,
)
from tvm_pipeline.schedules.cpu.register_tile import best_tile, is_worth_measuring, tile_knobs, tile_width
from tvm_pipeline.schedules.generator import Decisions, Knobs


class Conv2d:
    """The whole input is padded first; then every tile of outputs accumulates over input blocks and the window."""

    name = "conv2d"
    version = 2
    kinds: tuple[str, ...] = ("conv2d", "int8_conv2d")

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            **tile_knobs("tile_w", in_whole_tiles(layer.out_width), block_count(layer.out_channels), layer, unit),
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_window": (0, 1),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        # strided planes are read a value at a time, by their addresses: half of the registers hide it best
        most = unit.registers if _is_blocked(layer) else unit.registers // 2
        outer = CHANNELS_OUTER if _is_blocked(layer) else PIXELS_OUTER
        return {
            **best_tile(knobs, "tile_w", unit, most),
            "outer": outer,
            "unroll_window": int(not _is_blocked(layer)),
        }

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return is_worth_measuring(decisions["tile_w"], tile_width(decisions), unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        if kernel.padding is not None:
            self._copy(schedule, kernel.padding, unit)
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        tiles, tile = cut_tiles(schedule, RegisterTile(x, c, lane), decisions["tile_w"], decisions, unit, [y])
        compute_by_tiles(schedule, kernel, (n, *tiles), (tile.block, tile.pixel, tile.lane), unit)
        self._accumulate(schedule, kernel.anchor, layer, unit, bool(decisions["unroll_window"]))

    def _copy(self, schedule: Schedule, padding: SBlockRV, unit: VectorUnit) -> None:
        vectorize_rows(schedule, padding, unit)
        schedule.parallel(schedule.fuse(*schedule.get_loops(padding)[:3]))

    @staticmethod
    def _accumulate(schedule: Schedule, anchor: SBlockRV, layer: Layer, unit: VectorUnit, unroll_window: bool) -> None:
        reductions = 4 if _is_blocked(layer) else 3
        loops = schedule.get_loops(anchor)
        _, ci, _, xi, lane = loops[-reductions - 5 : -reductions]
        ko, ry, rx, *ki = loops[-reductions:]
        tile = nest_register_tile(schedule, (ko, ry, rx, *ki), RegisterTile(xi, ci, lane), unit)
        if unroll_window:
            unroll(schedule, ry, rx)
        # the row's loop, of one pass, lies around the tile
        clear_accumulators(schedule, schedule.decompose_reduction(anchor, ko), len(tile) + 1)


class Conv2dOfPairs(Conv2d):
    """The same of an image's planes in pairs of columns, rounded to bfloat16 first. What was measured of the other
    holds."""

    kinds = ("bfloat16_conv2d",)

    def _copy(self, schedule: Schedule, padding: SBlockRV, unit: VectorUnit) -> None:
        """Written vector by vector, read at any column: a row is one axis in memory."""
        schedule.transform_layout(padding, ("write", 0), lambda *at: (*at[:3], at[3] * MARGIN + at[4]))
        super()._copy(schedule, padding, unit)

    @staticmethod
    def _accumulate(schedule: Schedule, anchor: SBlockRV, layer: Layer, unit: VectorUnit, unroll_window: bool) -> None:
        _, ci, _, xi, lane, ko, ry, rx, pair = schedule.get_loops(anchor)[-9:]
        lanes = min(unit.lanes, int(schedule.get(lane).extent))
        vectors, lane = schedule.split(lane, [None, lanes])
        is_taller = int(schedule.get(xi).extent) >= int(schedule.get(ci).extent)
        longer, shorter = (xi, ci) if is_taller else (ci, xi)
        schedule.reorder(ko, ry, rx, longer, shorter, vectors, lane, pair)
        unroll(schedule, longer, shorter, vectors, *((ry, rx) if unroll_window else ()))
        initial = schedule.decompose_reduction(anchor, ko)
        schedule.tensorize(lane, dot_of_pairs(lanes))
        clear_accumulators(schedule, initial, tile_loops=5)


def _is_blocked(layer: Layer) -> bool:
    """Whether the input is: planes of an image are not."""
    return layer.kind == "grouped_conv2d" or is_blockable(layer.in_channels)
