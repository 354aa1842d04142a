"""Pointwise convolutions by Strassen's algorithm: seven products of a register tile, joined while they are in cache."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, padded_channels
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import blocks_of
from tvm_pipeline.schedules.cpu.kernel import PIXELS_OUTER, split_lanes, unroll, vectorize_lanes
from tvm_pipeline.schedules.cpu.pointwise import default_product, multiply, product_knobs
from tvm_pipeline.schedules.cpu.register_tile import best_tile, is_worth_measuring, tile_knobs, tile_width
from tvm_pipeline.schedules.generator import Decisions, Knobs
from tvm_pipeline.workloads.strassen import PRODUCTS, half_of_pixels


class Strassen:
    """Each quarter of the result is cut into tiles of ``tile_m`` pixels by ``tile_n`` channel blocks. Where channels
    lie outside, all sums of the input are made first; where pixels do, those of a tile, which then stay in cache."""

    name = "strassen"
    version = 1
    kinds = ("strassen",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            **tile_knobs("tile_m", half_of_pixels(layer), block_count(layer.out_channels) // 2, layer, unit),
            **product_knobs(layer, unit),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        weight_bytes = padded_channels(layer.out_channels) * layer.in_channels * PRODUCTS
        # four times the limit of a plain product
        return {**best_tile(knobs, "tile_m", unit), **default_product(knobs, weight_bytes // 4, unit)}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return is_worth_measuring(decisions["tile_m"], tile_width(decisions), unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        combined, product, joined, *between, output = blocks_of(schedule)
        for block in between:
            schedule.compute_inline(block)
        n, c, m, right, lower, lane = schedule.get_loops(joined)
        co, ci = schedule.split(c, [None, decisions["tile_n"]])
        mo, mi = schedule.split(m, [None, decisions["tile_m"]])
        stripes_outer = decisions["outer"] == PIXELS_OUTER
        part, lane = split_lanes(schedule, lane, decisions, unit)
        schedule.reorder(n, *((mo, co) if stripes_outer else (co, mo)), *part, ci, mi, right, lower, lane)
        outer = schedule.fuse(n, mo) if stripes_outer else schedule.fuse(n, co, mo, *part)
        tiles = (*part, co)[0] if stripes_outer else outer
        schedule.parallel(outer)
        unroll(schedule, right, lower, vectorize_lanes(schedule, lane, unit))
        self._multiply(schedule, product, tiles, unit, decisions)
        self._combine(schedule, combined, outer if stripes_outer else None, unit)
        # last: with an odd number of pixels the lower half has a predicate, and nothing could be moved any more
        schedule.reverse_compute_inline(output)

    @staticmethod
    def _multiply(schedule: Schedule, anchor: SBlockRV, tiles: LoopRV, unit: VectorUnit, decisions: Decisions) -> None:
        """All products of a tile lie side by side in the first-level cache, each accumulates in registers."""
        products = schedule.cache_write(anchor, 0, "local")
        schedule.set_scope(products, 0, "local")
        schedule.compute_at(products, tiles, preserve_unit_loops=True)
        ci, mi, p, lane = schedule.get_loops(products)[-4:]
        schedule.reorder(p, ci, mi, lane)
        unroll(schedule, ci, mi, vectorize_lanes(schedule, lane, unit))
        schedule.compute_at(anchor, p, preserve_unit_loops=True)
        ci, mi, one, lane, ko, ki = schedule.get_loops(anchor)[-6:]
        schedule.reorder(one, ci, mi, lane, ko, ki)
        multiply(schedule, anchor, unit, decisions)

    @staticmethod
    def _combine(schedule: Schedule, combined: SBlockRV, stripe: LoopRV | None, unit: VectorUnit) -> None:
        """The sums of one vector of pixels together, so that each quarter is loaded once."""
        if stripe is not None:
            schedule.compute_at(combined, stripe, preserve_unit_loops=True)
        *outer, p, ko, m, lane = schedule.get_loops(combined)
        schedule.reorder(ko, m, p, lane)
        unroll(schedule, p, vectorize_lanes(schedule, lane, unit))
        if stripe is None:
            schedule.parallel(schedule.fuse(*outer, ko))
