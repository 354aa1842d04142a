"""What generators for vector units do with a kernel's loops: tiles of registers, vectors, unrolled steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.generator import Decisions


@dataclass(frozen=True)
class RegisterTile:
    """The loops over a tile of accumulators: pixels, blocks of channels, and the lanes of a block."""

    pixel: LoopRV
    block: LoopRV
    lane: LoopRV


def split_lanes(
    schedule: Schedule, lane: LoopRV, decisions: Decisions, unit: VectorUnit, knob: str = "tile_v"
) -> tuple[tuple[LoopRV, ...], LoopRV]:
    """The loop over parts of a block, if ``knob`` is less than the whole, and the loop over a part's lanes."""
    width = decisions.get(knob, 0) * unit.lanes
    if width in (0, int(schedule.get(lane).extent)):
        return (), lane
    part, lane = schedule.split(lane, [None, width])
    return (part,), lane


def vectorize_lanes(schedule: Schedule, loop: LoopRV, unit: VectorUnit) -> LoopRV | None:
    """Vectorises a loop over lanes; returns the loop over vectors where there is more than one, else None."""
    extent = int(schedule.get(loop).extent)
    if extent <= unit.lanes:
        schedule.vectorize(loop)
        return None
    vectors, lanes = schedule.split(loop, [None, unit.lanes])
    schedule.vectorize(lanes)
    return vectors


def unroll(schedule: Schedule, *loops: LoopRV | None) -> None:
    """Unrolls the loops that are there."""
    for loop in loops:
        if loop is not None:
            schedule.unroll(loop)


def nest_register_tile(
    schedule: Schedule, reductions: Sequence[LoopRV], tile: RegisterTile, unit: VectorUnit
) -> list[LoopRV]:
    """Nests an unrolled tile of vectors into its reduction loops; returns the tile's loops, the outermost first.

    The longer side lies outermost: LLVM keeps the inner side's operands live, and 14 of them beside 28 sums spill.
    """
    loops = [tile.block]
    extent = int(schedule.get(tile.lane).extent)
    lanes = tile.lane
    if extent > unit.lanes:
        vectors, lanes = schedule.split(tile.lane, [None, unit.lanes])
        loops.append(vectors)
    width = prod(int(schedule.get(loop).extent) for loop in loops)
    outermost_pixels = int(schedule.get(tile.pixel).extent) >= width
    loops = [tile.pixel, *loops] if outermost_pixels else [*loops, tile.pixel]
    schedule.reorder(*reductions, *loops, lanes)
    unroll(schedule, *loops)
    schedule.vectorize(lanes)
    return [*loops, lanes]


def hold_inputs(schedule: Schedule, anchor: SBlockRV, step: LoopRV, unit: VectorUnit) -> None:
    """NEON multiplies a vector by one lane of another: so the inputs of ``step``'s body, runs of input channels, are
    loaded by vectors first. Where runs are no whole vectors, and on x86, an instruction broadcasts each input."""
    if not unit.multiplies_by_lane:
        return
    inputs = schedule.cache_read(anchor, 0, "local")
    schedule.compute_at(inputs, step, preserve_unit_loops=True)
    *rows, channels = schedule.get_loops(inputs)[-2:]
    if int(schedule.get(channels).extent) % unit.lanes:
        schedule.compute_inline(inputs)
        return
    unroll(schedule, *rows, vectorize_lanes(schedule, channels, unit))


def vectorize_rows(schedule: Schedule, padding: SBlockRV, unit: VectorUnit) -> None:
    """Copies a padded blocked input by whole vectors."""
    vectorize_lanes(schedule, schedule.get_loops(padding)[-1], unit)


def clear_accumulators(schedule: Schedule, initial: SBlockRV, tile_loops: int) -> None:
    """Clears a register tile by whole vectors: the innermost ``tile_loops`` loops, all unrolled but the last."""
    *tile, lane = schedule.get_loops(initial)[-tile_loops:]
    unroll(schedule, *tile)
    if int(schedule.get(lane).extent) > 1:
        schedule.vectorize(lane)
