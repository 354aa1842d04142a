"""Pointwise convolutions as a matrix product: a register tile of ``tile_m`` pixels by ``tile_n`` channel blocks."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import PREFETCH_PANEL, PREFETCH_STEPS, prepare_kernel
from tvm_pipeline.schedules.cpu.kernel import (
    RegisterTile,
    clear_accumulators,
    hold_inputs,
    nest_register_tile,
    split_lanes,
    unroll,
    vectorize_lanes,
)
from tvm_pipeline.schedules.cpu.register_tile import (
    best_tile,
    default_step,
    has_room_for_inputs,
    is_worth_measuring,
    step_sizes,
    tile_width,
    vector_knob,
)
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors

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
            **vector_knob(layer.out_channels, unit),
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_k": step_sizes(layer.in_channels, unit),
            "prefetch": (NO_PREFETCH, PREFETCH_STEP, PREFETCH_STEP_AND_PANEL),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        stay_in_cache = padded_channels(layer.out_channels) * layer.in_channels * 4 <= CACHED_WEIGHT_BYTES
        return {
            **best_tile(knobs, "tile_m", unit),
            "outer": PIXELS_OUTER if stay_in_cache else CHANNELS_OUTER,
            "unroll_k": default_step(knobs["unroll_k"], unit),
            "prefetch": NO_PREFETCH if stay_in_cache or unit.multiplies_by_lane else PREFETCH_STEP_AND_PANEL,
        }

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        tile = decisions["tile_m"], tile_width(decisions)
        return is_worth_measuring(*tile, unit) and has_room_for_inputs(*tile, unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        n, c, m, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, decisions["tile_n"]])
        mo, mi = schedule.split(m, [None, decisions["tile_m"]])
        part, lane = split_lanes(schedule, lane, decisions, unit)
        outer = (*((mo, co) if decisions["outer"] == PIXELS_OUTER else (co, mo)), *part)
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
    hold_inputs(schedule, anchor, kio, unit)
    clear_accumulators(schedule, schedule.decompose_reduction(anchor, ko), len(tile))
