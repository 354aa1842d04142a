"""Finds a kernel's parts and brings them into the shape that every generator starts from."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.schedules.cpu.register_tile import NEON_LANES
from tvm_pipeline.schedules.generator import Decisions, VectorUnit
from tvm_pipeline.workloads.workload import ANCHOR, BETWEEN, INNER_ANCHOR, PADDING


@dataclass(frozen=True)
class Kernel:
    """``anchor`` accumulates into registers, ``output`` stores with the epilogue inlined."""

    anchor: SBlockRV
    output: SBlockRV
    padding: SBlockRV | None


def annotation(schedule: Schedule, block: SBlockRV, key: str) -> str | None:
    """The value of a block annotation, None where the block has none."""
    annotations = schedule.get(block).annotations
    return str(annotations[key]) if key in annotations else None


@dataclass(frozen=True)
class RegisterTile:
    """The loops over a tile of accumulators: pixels, blocks of channels, and the lanes of a block."""

    pixel: LoopRV
    block: LoopRV
    lane: LoopRV


def anchor_descriptor(schedule: Schedule) -> str | None:
    """The descriptor that the kernel's main block carries; None for a kernel that no workload defined."""
    for block in schedule.get_child_blocks(schedule.get_sblock("root")):
        found = annotation(schedule, block, ANCHOR)
        if found is not None:
            return found
    return None


def prepare_kernel(schedule: Schedule) -> Kernel:
    """Inlines the epilogue into the last block and keeps the anchor's result apart from what is stored."""
    blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
    anchor = next(block for block in blocks if annotation(schedule, block, ANCHOR) is not None)
    padding = next((block for block in blocks if annotation(schedule, block, PADDING) is not None), None)
    position = next(index for index, block in enumerate(blocks) if schedule.get(block).same_as(schedule.get(anchor)))
    behind = list(blocks[position + 1 :])
    for block in behind[:-1]:
        schedule.compute_inline(block)
    if behind:
        schedule.set_scope(anchor, 0, "local")
        return Kernel(anchor, behind[-1], padding)
    output = schedule.cache_write(anchor, 0, "local")
    return Kernel(anchor, output, padding)


def prepare_inner_kernel(schedule: Schedule) -> Kernel:
    """The first half of a kernel of two: its epilogue inlined into the stage that stores what lies between them."""
    blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
    roles = [
        next((key for key in (INNER_ANCHOR, BETWEEN) if annotation(schedule, block, key) is not None), None)
        for block in blocks
    ]
    first, last = roles.index(INNER_ANCHOR), roles.index(BETWEEN)
    for block in blocks[first + 1 : last]:
        schedule.compute_inline(block)
    schedule.set_scope(blocks[first], 0, "local")
    return Kernel(blocks[first], blocks[last], None)


def split_pixels(schedule: Schedule, kernel: Kernel) -> Kernel:
    """The kernel with its output block over rows and columns, as the anchor's, instead of over flattened pixels.

    Division and remainder of a tile's flattened pixels are beyond TVM's bounds: it would compute more than the tile.
    """
    by_rows = schedule.cache_write(kernel.anchor, 0, "local")
    schedule.reverse_compute_inline(kernel.output)
    return Kernel(kernel.anchor, by_rows, kernel.padding)


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
    if unit.lanes != NEON_LANES:
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
