"""Judges tiles of accumulators by what the register file holds and how often it must load."""

from tvm_pipeline.schedules.generator import VectorUnit


def fits(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether the accumulators, the operands of the shorter side and one of the longer fit into the registers."""
    return tile_m * vectors + min(tile_m, vectors) + 1 <= unit.registers


def register_tile_cost(tile_m: int, vectors: int) -> float:
    """Loads per multiply-add, with a penalty for tiles too small to hide a multiply-add's latency (8 in flight).

    A vector of weights comes from the second-level cache, a broadcast input from the first: it counts a quarter.
    """
    accumulators = tile_m * vectors
    return (tile_m + 4 * vectors) / accumulators + max(0.0, (10 - accumulators) / 10)


def is_worth_measuring(tile_m: int, vectors: int, unit: VectorUnit) -> bool:
    """Whether the accumulators fit into the registers, and are not needlessly few."""
    accumulators = tile_m * vectors
    return accumulators < unit.registers and (accumulators >= 4 or tile_m == 1)
