"""Judges and chooses tiles of accumulators by what the register file holds and how often it must load."""

from tvm_pipeline.channel_block import channel_block
from tvm_pipeline.schedules.divisors import divisors
from tvm_pipeline.schedules.generator import Decisions, Knobs, VectorUnit


def vectors_per_block(channels: int, unit: VectorUnit) -> int:
    """How many vectors a block of so many channels takes."""
    return max(1, channel_block(channels) // unit.lanes)


def vector_knob(channels: int, unit: VectorUnit) -> Knobs:
    """``tile_v``, the vectors of a block that a tile takes; no knob where a block is one vector."""
    vectors = vectors_per_block(channels, unit)
    return {"tile_v": divisors(vectors, vectors)} if vectors > 1 else {}


def tile_width(decisions: Decisions) -> int:
    """Vectors side by side in a tile of ``tile_n`` blocks."""
    return decisions["tile_n"] * decisions.get("tile_v", 1)


def best_tile(knobs: Knobs, pixels: str, unit: VectorUnit, most: int | None = None) -> dict[str, int]:
    """The cheapest tile that fits: decisions for the knobs ``pixels``, ``tile_n`` and, if there is one, ``tile_v``.

    ``most`` limits the accumulators further.
    """
    tiles = [
        (m, n, v)
        for m in knobs[pixels]
        for n in knobs["tile_n"]
        for v in knobs.get("tile_v", (1,))
        if fits(m, n * v, unit) and m * n * v <= (most or unit.registers)
    ]
    tile_m, tile_n, tile_v = min(tiles, key=lambda tile: register_tile_cost(tile[0], tile[1] * tile[2], unit))
    chosen = {pixels: tile_m, "tile_n": tile_n}
    return {**chosen, "tile_v": tile_v} if "tile_v" in knobs else chosen


def fits(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether the accumulators, the operands of the shorter side and one of the longer fit into the registers."""
    return tile_m * vectors + min(tile_m, vectors) + 1 <= unit.registers


def register_tile_cost(tile_m: int, vectors: int, unit: VectorUnit) -> float:
    """Loads per multiply-add, with a penalty for tiles too small to hide a multiply-add's latency (8 in flight).

    A vector of weights comes from the second-level cache, a broadcast input from the first: it counts a quarter where
    the multiply-add broadcasts it by itself (AVX-512), two thirds where that is an instruction of its own.
    """
    accumulators = tile_m * vectors
    broadcasts, loads, enough = (tile_m, 4 * vectors, 10) if unit.lanes == 16 else (2 * tile_m / 3, vectors, 8)
    return (broadcasts + loads) / accumulators + max(0.0, (enough - accumulators) / 10)


def is_worth_measuring(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether the accumulators fit into the registers, and are not needlessly few."""
    accumulators = tile_m * vectors
    return accumulators < unit.registers and (accumulators >= 4 or tile_m == 1)
