"""Judges and chooses tiles of accumulators by what the register file holds and how often it must load."""

from collections.abc import Sequence
from math import prod

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block
from tvm_pipeline.hardware.cpu import AVX2_LANES, NEON_LANES, VectorUnit
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors


def vectors_per_block(channels: int, unit: VectorUnit) -> int:
    """How many vectors a block of so many channels takes."""
    return max(1, channel_block(channels) // unit.lanes)


def vector_knob(channels: int, unit: VectorUnit, name: str = "tile_v") -> Knobs:
    """How many vectors of a block a tile takes; no knob where a block is one vector."""
    vectors = vectors_per_block(channels, unit)
    return {name: divisors(vectors, vectors)} if vectors > 1 else {}


def tile_knobs(pixels: str, extent: int, blocks: int, layer: Layer, unit: VectorUnit) -> Knobs:
    """The knobs of a register tile: the one called ``pixels``, of ``extent``, and ``tile_n`` of so many ``blocks``."""
    tile = {pixels: divisors(extent, unit.registers - 2), "tile_n": divisors(blocks, 8)}
    return {**tile, **vector_knob(layer.out_channels, unit)}


def best_window(knobs: Knobs, pixels: str, vectors: str, unit: VectorUnit) -> dict[str, int]:
    """Decisions for a window that slides over each channel alone: as many sums as half of the registers hold, of many
    pixels rather than of many vectors of a block, of which two are loaded as a pair."""
    sizes = [(w, v) for w in knobs[pixels] for v in knobs.get(vectors, (1,)) if v <= 2]
    most = unit.registers // 2
    tile_w, tile_v = max((size for size in sizes if size[0] * size[1] <= most), key=lambda size: (prod(size), size[0]))
    return {pixels: tile_w, vectors: tile_v} if vectors in knobs else {pixels: tile_w}


def tile_width(decisions: Decisions) -> int:
    """Vectors side by side in a tile of ``tile_n`` blocks."""
    return decisions["tile_n"] * decisions.get("tile_v", 1)


def step_sizes(in_channels: int, unit: VectorUnit) -> tuple[int, ...]:
    """How many input channels a step may take: up to half a block, for NEON a whole one."""
    sizes = (1, 2, 4, 8, 16) if unit.multiplies_by_lane else (1, 2, 4, 8)
    return tuple(size for size in sizes if channel_block(in_channels) % size == 0)


def default_step(sizes: Sequence[int], unit: VectorUnit) -> int:
    """How many input channels a step takes where nothing was measured."""
    return sizes[-1] if unit.multiplies_by_lane else max(size for size in sizes if size <= 4)


def best_tile(
    knobs: Knobs, pixels: str, unit: VectorUnit, most: int | None = None, extent: int | None = None
) -> dict[str, int]:
    """The cheapest tile that fits: decisions for the knobs ``pixels``, ``tile_n`` and, if there is one, ``tile_v``.

    :param most: limits the accumulators further.
    :param extent: how many pixels there are, where tiles may end behind the last one.
    """
    tiles = [
        (m, n, v)
        for m in knobs[pixels]
        for n in knobs["tile_n"]
        for v in knobs.get("tile_v", (1,))
        if fits(m, n * v, unit) and m * n * v <= (most or unit.registers)
    ]

    def cost(tile: tuple[int, int, int]) -> float:
        dropped = -extent % tile[0] / extent if extent else 0.0
        return (1 + dropped) * register_tile_cost(tile[0], tile[1] * tile[2], unit)

    tile_m, tile_n, tile_v = min(tiles, key=cost)
    chosen = {pixels: tile_m, "tile_n": tile_n}
    return {**chosen, "tile_v": tile_v} if "tile_v" in knobs else chosen


def fits(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether the accumulators and the operands that lie beside them fit into the registers.

    On x86 those are the operands of the shorter side and one of the longer; on NEON an input vector per pixel, whose
    lanes are used one after another (``hold_inputs``), and two vectors of weights.
    """
    operands = tile_m + min(vectors, 2) if unit.multiplies_by_lane else min(tile_m, vectors) + 1
    return tile_m * vectors + operands <= unit.registers


def register_tile_cost(tile_m: int, vectors: int, unit: VectorUnit) -> float:
    """Loads per multiply-add, with a penalty for tiles too small to hide a multiply-add's latency (8 in flight).

    A vector of weights comes from the second-level cache, a broadcast input from the first: it counts a quarter where
    the multiply-add broadcasts it by itself (AVX-512), two thirds where that is an instruction of its own (AVX2). NEON
    loads two vectors at a time, and the inputs of four steps in one.
    """
    accumulators = tile_m * vectors
    broadcasts, loads, enough = {
        NEON_LANES: (tile_m / 8, vectors / 2, 10),
        AVX2_LANES: (2 * tile_m / 3, vectors, 8),
    }.get(unit.lanes, (tile_m, 4 * vectors, 10))
    return (broadcasts + loads) / accumulators + max(0.0, (enough - accumulators) / 10)


def has_room_for_inputs(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether no register spills for the inputs that NEON holds (``hold_inputs``); x86 reads them where they lie."""
    return not unit.multiplies_by_lane or fits(tile_m, vectors, unit)


def is_worth_measuring(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether the accumulators fit into the registers, and are not needlessly few."""
    accumulators = tile_m * vectors
    return accumulators < unit.registers and (accumulators >= 4 or tile_m == 1)
