"""Pointwise convolutions by instructions that add up several products: bfloat16 in pairs, bytes in fours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, channel_block, padded_channels
from tvm_pipeline.hardware.column_pairs import PAIR
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles, overhanging_tiles
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.cpu.dot_products import PMADDWD, SDOT, VNNI, dot_of_pairs
from tvm_pipeline.schedules.cpu.kernel import (
    CHANNELS_OUTER,
    PIXELS_OUTER,
    RegisterTile,
    clear_accumulators,
    compute_by_tiles,
    cut_tiles,
    unroll,
)
from tvm_pipeline.schedules.cpu.register_tile import best_tile, is_worth_measuring, tile_knobs, tile_width
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors

CACHED_WEIGHT_BYTES = 128 * 1024
"""Weights of this size pass from the second-level cache to the first as fast as they are used, tile after tile."""


_SDOT_SUMS = 22
"""With 24 and six pixels' inputs no register is left for what turns their signs."""

_Intrinsic = Callable[[int], str]
"""From a number of results to the name of the tensor intrinsic."""


@dataclass(frozen=True)
class Dot:
    """What multiplies.

    :ivar group: input channels that one instruction multiplies for each result.
    :ivar steps: how many of them are unrolled where nothing was measured.
    :ivar overhangs: whether tiles of five or six pixels may end behind the last one.
    :ivar most_sums: of a tile, where what lies beside them takes more registers than of float32.
    :ivar in_registers: whether inputs that must be prepared are so for a step, in registers, rather than for a tile.
    """

    group: int
    intrinsic: _Intrinsic
    steps: int = 2
    overhangs: bool = False
    most_sums: int | None = None
    in_registers: bool = False


@dataclass(frozen=True)
class DotPointwise:
    """A register tile of ``tile_m`` pixels by ``tile_n`` blocks of channels stays in registers for all of K; a step
    loads ``tile_n`` vectors of groups of weights, and broadcasts a group of inputs for each pixel.

    :ivar dots: by the kind of kernel.
    """

    name: str
    bytes_per_weight: int
    dots: Mapping[str, Dot]
    version: int = 1

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.dots)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        pixels, blocks = in_whole_tiles(layer.height * layer.width), block_count(layer.out_channels)
        dot, tiles = self._dot(layer, unit), tile_knobs("tile_m", pixels, blocks, layer, unit)
        if dot.overhangs:
            further = overhanging_tiles(layer.height * layer.width)
            tiles = {**tiles, "tile_m": tuple(sorted({*tiles["tile_m"], *further}))}
        groups = channel_block(layer.in_channels) // dot.group
        return {
            **tiles,
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_k": divisors(groups, groups),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        weight_bytes = padded_channels(layer.out_channels) * layer.in_channels * self.bytes_per_weight
        outer = PIXELS_OUTER if weight_bytes <= CACHED_WEIGHT_BYTES else CHANNELS_OUTER
        knobs = self.knobs(layer, unit)
        dot = self._dot(layer, unit)
        unroll_k = min(dot.steps, knobs["unroll_k"][-1])
        extent = layer.height * layer.width if dot.overhangs else None
        tile = best_tile(knobs, "tile_m", unit, dot.most_sums, extent)
        return {**tile, "outer": outer, "unroll_k": unroll_k}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return is_worth_measuring(decisions["tile_m"], tile_width(decisions), unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        n, c, m, lane = schedule.get_loops(kernel.output)
        tiles, tile = cut_tiles(schedule, RegisterTile(m, c, lane), decisions["tile_m"], decisions, unit)
        compute_by_tiles(schedule, kernel, (n, *tiles), (tile.block, tile.pixel, tile.lane), unit)
        dot = self._dot(layer, unit)
        step = _multiply(schedule, kernel.anchor, dot, decisions["unroll_k"], unit)
        if kernel.prepared is not None:  # for a step in registers, for a tile in the first-level cache
            _prepare(schedule, kernel.prepared, step if dot.in_registers else schedule.get_loops(kernel.output)[0])

    def _dot(self, layer: Layer, unit: VectorUnit) -> Dot:
        return self.dots[unit.kernel_kind(layer)]


def _multiply(schedule: Schedule, anchor: SBlockRV, dot: Dot, unroll_k: int, unit: VectorUnit) -> LoopRV:
    """Accumulates a tile, the anchor's loops ``(block, pixel, lane, ko, ki)``; returns the loop over steps."""
    block, pixel, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    step, groups, group = schedule.split(ki, [None, unroll_k, dot.group])
    lanes = min(unit.lanes, int(schedule.get(lane).extent))
    vectors, lane = schedule.split(lane, [None, lanes])
    is_taller = int(schedule.get(pixel).extent) >= int(schedule.get(block).extent)
    longer, shorter = (pixel, block) if is_taller else (block, pixel)
    schedule.reorder(ko, step, groups, longer, shorter, vectors, lane, group)
    unroll(schedule, groups, longer, shorter, vectors)
    initial = schedule.decompose_reduction(anchor, ko)
    schedule.tensorize(lane, dot.intrinsic(lanes))
    clear_accumulators(schedule, initial, tile_loops=4)
    return step


def _prepare(schedule: Schedule, prepared: SBlockRV, loop: LoopRV) -> None:
    """Makes inputs ready inside ``loop``, by whole blocks of channels."""
    schedule.set_scope(prepared, 0, "local")
    schedule.compute_at(prepared, loop, preserve_unit_loops=True)
    pixel, channels = schedule.get_loops(prepared)[-2:]
    schedule.vectorize(channels)
    unroll(schedule, pixel)


BFLOAT16_POINTWISE = DotPointwise("bfloat16_pointwise", 2, {"bfloat16_pointwise": Dot(PAIR, dot_of_pairs)})
INT8_POINTWISE = DotPointwise(
    "int8_pointwise",
    1,
    {
        "int8_pointwise": Dot(VNNI.group, VNNI.intrinsic),
        "int8_narrow_pointwise": Dot(VNNI.group, VNNI.intrinsic),
        "int8_pointwise_of_signed": Dot(
            SDOT.group, SDOT.intrinsic, steps=4, overhangs=True, most_sums=_SDOT_SUMS, in_registers=True
        ),
        "int8_pointwise_of_shorts": Dot(PMADDWD.group, PMADDWD.intrinsic, steps=1),
    },
)
