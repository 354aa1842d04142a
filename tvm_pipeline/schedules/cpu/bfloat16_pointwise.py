"""Pointwise convolutions by dot products of bfloat16: a register tile of ``tile_m`` pixels by ``tile_n`` blocks."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, channel_block, padded_channels
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.cpu.bfloat16_dot import dot_of_pairs
from tvm_pipeline.schedules.cpu.kernel import (
    CHANNELS_OUTER,
    PIXELS_OUTER,
    RegisterTile,
    clear_accumulators,
    compute_by_tiles,
    cut_tiles,
    unroll,
)
from tvm_pipeline.schedules.cpu.register_tile import best_tile, is_worth_measuring, tile_knobs
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.workloads.bfloat16 import PAIR

CACHED_WEIGHT_BYTES = 128 * 1024
"""Weights of this size pass from the second-level cache to the first as fast as they are used, tile after tile."""


class Bfloat16Pointwise:
    """Accumulators stay in registers for all of K; a step loads ``tile_n`` vectors of pairs of weights, and broadcasts
    a pair of inputs for each of ``tile_m`` pixels."""

    name = "bfloat16_pointwise"
    version = 1
    kinds = ("bfloat16_pointwise",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        pixels, blocks = in_whole_tiles(layer.height * layer.width), block_count(layer.out_channels)
        pairs = channel_block(layer.in_channels) // PAIR
        return {
            **tile_knobs("tile_m", pixels, blocks, layer, unit),
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_k": divisors(pairs, pairs),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        weight_bytes = padded_channels(layer.out_channels) * layer.in_channels * 2
        outer = PIXELS_OUTER if weight_bytes <= CACHED_WEIGHT_BYTES else CHANNELS_OUTER
        knobs = self.knobs(layer, unit)
        return {**best_tile(knobs, "tile_m", unit), "outer": outer, "unroll_k": min(2, knobs["unroll_k"][-1])}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return is_worth_measuring(decisions["tile_m"], decisions["tile_n"], unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        n, c, m, lane = schedule.get_loops(kernel.output)
        tiles, tile = cut_tiles(schedule, RegisterTile(m, c, lane), decisions["tile_m"], decisions, unit)
        compute_by_tiles(schedule, kernel, (n, *tiles), (tile.block, tile.pixel, tile.lane), unit)
        multiply_pairs(schedule, kernel.anchor, decisions["unroll_k"])


def multiply_pairs(schedule: Schedule, anchor: SBlockRV, unroll_k: int) -> None:
    """Accumulates a tile, the anchor's loops ``(block, pixel, lane, ko, ki)``, by dot products of pairs."""
    block, pixel, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    step, pairs, pair = schedule.split(ki, [None, unroll_k, PAIR])
    lanes = int(schedule.get(lane).extent)
    is_taller = int(schedule.get(pixel).extent) >= int(schedule.get(block).extent)
    longer, shorter = (pixel, block) if is_taller else (block, pixel)
    schedule.reorder(ko, step, pairs, longer, shorter, lane, pair)
    unroll(schedule, pairs, longer, shorter)
    initial = schedule.decompose_reduction(anchor, ko)
    schedule.tensorize(lane, dot_of_pairs(lanes))
    clear_accumulators(schedule, initial, tile_loops=3)
