"""Pointwise convolutions as a matrix product: a register tile of ``tile_m`` pixels by ``tile_n`` channel blocks."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, padded_channels
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles, overhanging_tiles
from tvm_pipeline.schedules.annotations import PREFETCH_PANEL, PREFETCH_STEPS, prepare_kernel
from tvm_pipeline.schedules.cpu.kernel import (
    CHANNELS_OUTER,
    PIXELS_OUTER,
    RegisterTile,
    accumulate_products,
    compute_by_tiles,
    cut_tiles,
)
from tvm_pipeline.schedules.cpu.register_tile import (
    best_tile,
    default_step,
    has_room_for_inputs,
    is_worth_measuring,
    step_sizes,
    tile_knobs,
    tile_width,
)
from tvm_pipeline.schedules.generator import Decisions, Knobs

PREFETCH_STEPS_AHEAD = 8
"""Half a block of weights: far enough for the second-level cache, near enough to stay in the first."""

CACHED_WEIGHT_BYTES = 128 * 1024
"""Weights of this size pass from the second-level cache to the first as fast as they are used, tile after tile."""

NO_PREFETCH, PREFETCH_STEP, PREFETCH_STEP_AND_PANEL = 0, 1, 2


class Pointwise:
    """Accumulators stay in registers for all of K; a step loads ``tile_n`` weights, broadcasts ``tile_m`` inputs."""

    name = "pointwise"
    version = 2
    kinds = ("pointwise",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        pixels = in_whole_tiles(layer.height * layer.width)
        return {
            **tile_knobs("tile_m", pixels, block_count(layer.out_channels), layer, unit),
            **product_knobs(layer, unit),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        weight_bytes = padded_channels(layer.out_channels) * layer.in_channels * 4
        tile = best_tile(knobs, "tile_m", unit, extent=layer.height * layer.width)
        return {**tile, **default_product(knobs, weight_bytes, unit)}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        tile = decisions["tile_m"], tile_width(decisions)
        return is_worth_measuring(*tile, unit) and has_room_for_inputs(*tile, unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        n, c, m, lane = schedule.get_loops(kernel.output)
        tiles, tile = cut_tiles(schedule, RegisterTile(m, c, lane), decisions["tile_m"], decisions, unit)
        compute_by_tiles(schedule, kernel, (n, *tiles), (tile.block, tile.pixel, tile.lane), unit)
        multiply(schedule, kernel.anchor, unit, decisions)


class OverhangingPointwise(Pointwise):
    """The same for 16 registers: its last tile may end behind the last pixel. What was measured of the other holds."""

    kinds = ("overhanging_pointwise",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        knobs = super().knobs(layer, unit)
        tiles = {*knobs["tile_m"], *overhanging_tiles(layer.height * layer.width)}
        return {**knobs, "tile_m": tuple(sorted(tiles))}


def product_knobs(layer: Layer, unit: VectorUnit) -> Knobs:
    """What every product of matrices decides beside its tile."""
    return {
        "outer": (PIXELS_OUTER, CHANNELS_OUTER),
        "unroll_k": step_sizes(layer.in_channels, unit),
        "prefetch": (NO_PREFETCH, PREFETCH_STEP, PREFETCH_STEP_AND_PANEL),
    }


def default_product(knobs: Knobs, weight_bytes: int, unit: VectorUnit) -> Decisions:
    """The rule: weights that do not stay in cache are passed once, and fetched ahead (by instructions on x86 alone)."""
    stay_in_cache = weight_bytes <= CACHED_WEIGHT_BYTES
    by_hand = not stay_in_cache and not unit.multiplies_by_lane
    return {
        "outer": PIXELS_OUTER if stay_in_cache else CHANNELS_OUTER,
        "unroll_k": default_step(knobs["unroll_k"], unit),
        "prefetch": PREFETCH_STEP_AND_PANEL if by_hand else NO_PREFETCH,
    }


def multiply(schedule: Schedule, anchor: SBlockRV, unit: VectorUnit, decisions: Decisions) -> None:
    """Accumulates a tile, the anchor's loops ``(block, pixel, lane, ko, ki)``, and prefetches what it multiplies by."""
    block, pixel, lane, *_ = schedule.get_loops(anchor)[-5:]
    _, channel = accumulate_products(schedule, anchor, unit, decisions, RegisterTile(pixel, block, lane))
    if decisions["prefetch"] != NO_PREFETCH:
        schedule.annotate(channel, PREFETCH_STEPS, PREFETCH_STEPS_AHEAD)
    if decisions["prefetch"] == PREFETCH_STEP_AND_PANEL:
        schedule.annotate(channel, PREFETCH_PANEL, decisions["tile_m"])
