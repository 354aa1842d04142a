"""Pointwise convolutions as a matrix product: a register tile of ``tile_m`` pixels by ``tile_n`` channel blocks."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from tvm_pipeline.channel_block import channel_block, padded_channels
from tvm_pipeline.layer import Layer
from tvm_pipeline.passes.prefetch_weights import PREFETCH_PANEL, PREFETCH_STEPS
from tvm_pipeline.schedules.divisors import divisors
from tvm_pipeline.schedules.generator import Decisions, Knobs, VectorUnit
from tvm_pipeline.schedules.kernel import (
    RegisterTile,
    clear_accumulators,
    nest_register_tile,
    prepare_kernel,
    unroll,
    vectorize_lanes,
)
from tvm_pipeline.schedules.register_tile import fits, is_worth_measuring, register_tile_cost

PREFETCH_STEPS_AHEAD = 8
"""Half a block of weights: far enough for the second-level cache, near enough to stay in the first."""

CACHED_WEIGHT_BYTES = 128 * 1024
"""Weights of this size pass from the second-level cache to the first as fast as they are used, tile after tile."""

PIXELS_OUTER, CHANNELS_OUTER = 0, 1
NO_PREFETCH, PREFETCH_STEP, PREFETCH_STEP_AND_PANEL = 0, 1, 2


class Pointwise:
    """Accumulators stay in registers for all of K; a step loads ``tile_n`` weights, broadcasts ``tile_m`` inputs."""

    name = "pointwise"
    version = 2
    kinds = ("pointwise",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        lanes = channel_block(layer.out_channels)
        blocks = padded_channels(layer.out_channels) // lanes
        return {
            "tile_m": divisors(layer.height * layer.width, unit.registers - 2),
            "tile_n": divisors(blocks, 8),
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_k": tuple(size for size in (1, 2, 4, 8) if channel_block(layer.in_channels) % size == 0),
            "prefetch": (NO_PREFETCH, PREFETCH_STEP, PREFETCH_STEP_AND_PANEL),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        vectors = max(1, channel_block(layer.out_channels) // unit.lanes)
        tiles = [(m, n) for m in knobs["tile_m"] for n in knobs["tile_n"] if fits(m, n * vectors, unit)]
        tile_m, tile_n = min(tiles, key=lambda tile: register_tile_cost(tile[0], tile[1] * vectors))
        stay_in_cache = padded_channels(layer.out_channels) * layer.in_channels * 4 <= CACHED_WEIGHT_BYTES
        return {
            "tile_m": tile_m,
            "tile_n": tile_n,
            "outer": PIXELS_OUTER if stay_in_cache else CHANNELS_OUTER,
            "unroll_k": max(size for size in knobs["unroll_k"] if size <= 4),
            "prefetch": NO_PREFETCH if stay_in_cache else PREFETCH_STEP_AND_PANEL,
        }

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        vectors = decisions["tile_n"] * max(1, channel_block(layer.out_channels) // unit.lanes)
        return is_worth_measuring(decisions["tile_m"], vectors, unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        n, c, m, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, decisions["tile_n"]])
        mo, mi = schedule.split(m, [None, decisions["tile_m"]])
        outer = (mo, co) if decisions["outer"] == PIXELS_OUTER else (co, mo)
        schedule.reorder(n, *outer, ci, mi, lane)
        tiles = schedule.fuse(n, *outer)
        schedule.parallel(tiles)
        schedule.compute_at(kernel.anchor, tiles, preserve_unit_loops=True)
        unroll(schedule, ci, mi, vectorize_lanes(schedule, lane, unit))
        accumulate_products(schedule, kernel.anchor, unit, decisions)


def accumulate_products(schedule: Schedule, anchor: SBlockRV, unit: VectorUnit, decisions: Decisions) -> None:
    """Nests the register tile, the anchor's loops ``(ci, mi, lane, ko, ki)``, into its reduction."""
    ci, mi, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    kio, kii = schedule.split(ki, [None, decisions["unroll_k"]])
    tile = nest_register_tile(schedule, (ko, kio, kii), RegisterTile(mi, ci, lane), unit)
    if decisions["prefetch"] != NO_PREFETCH:
        schedule.annotate(kii, PREFETCH_STEPS, PREFETCH_STEPS_AHEAD)
    if decisions["prefetch"] == PREFETCH_STEP_AND_PANEL:
        schedule.annotate(kii, PREFETCH_PANEL, decisions["tile_m"])
    unroll(schedule, kii)
    clear_accumulators(schedule, schedule.decompose_reduction(anchor, ko), len(tile))
