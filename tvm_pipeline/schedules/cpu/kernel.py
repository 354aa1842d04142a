"""What generators for vector units do with a kernel's loops: tiles of registers, vectors, unrolled steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from tvm import tirx
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import Kernel
from tvm_pipeline.schedules.generator import Decisions

PIXELS_OUTER, CHANNELS_OUTER = 0, 1

MOST_UNROLLED = 1024
"""Steps of a tile's window: a 31x31 window in full would take LLVM a quarter of a minute."""


@dataclass(frozen=True)
class RegisterTile:
    """The loops over a tile of accumulators, or over all results: pixels, blocks of channels, the lanes of a block."""

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


def cut_tiles(
    schedule: Schedule,
    results: RegisterTile,
    pixels: int,
    decisions: Decisions,
    unit: VectorUnit,
    rows: Sequence[LoopRV] = (),
) -> tuple[tuple[LoopRV, ...], RegisterTile]:
    """Cuts the loops over a kernel's results into tiles of so many ``pixels`` by ``tile_n`` channel blocks.

    :param rows: loops over rows of pixels, which are not cut.
    :returns: the loops over tiles, of which ``outer`` says whether pixels lie outermost, and the tile's own.
    """
    blocks, block = schedule.split(results.block, [None, decisions["tile_n"]])
    columns, pixel = schedule.split(results.pixel, [None, pixels])
    part, lane = split_lanes(schedule, results.lane, decisions, unit)
    tiles = (*rows, columns, blocks) if decisions["outer"] == PIXELS_OUTER else (blocks, *rows, columns)
    return (*tiles, *part), RegisterTile(pixel, block, lane)


def compute_by_tiles(
    schedule: Schedule, kernel: Kernel, tiles: Sequence[LoopRV], tile: Sequence[LoopRV], unit: VectorUnit
) -> None:
    """Threads share out the loops over ``tiles``, which are fused; a tile's sums are made and stored inside.

    :param tile: the loops inside, in order, of which the last goes over lanes.
    """
    *rows, lane = tile
    schedule.reorder(*tiles, *tile)
    makes_bytes = str(schedule.get(kernel.output).writes[0].source.dtype) == "uint8"
    fused = schedule.fuse(*tiles)
    schedule.parallel(fused)
    schedule.compute_at(kernel.anchor, fused, preserve_unit_loops=True)
    unroll(schedule, *rows)
    if makes_bytes and unit.multiplies_by_lane:
        schedule.vectorize(lane)  # four vectors become one of bytes
    else:
        unroll(schedule, vectorize_lanes(schedule, lane, unit))


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


def unroll_while_small(schedule: Schedule, loops: Sequence[LoopRV], steps: int) -> None:
    """Unrolls loops, the innermost first, as long as their bodies' ``steps`` do not become too many."""
    for loop in loops:
        steps *= int(schedule.get(loop).extent)
        unroll(schedule, loop if steps <= MOST_UNROLLED else None)


def _product(schedule: Schedule, loops: Sequence[LoopRV | None]) -> int:
    return prod(int(schedule.get(loop).extent) for loop in loops if loop is not None)


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


def accumulate_products(
    schedule: Schedule, anchor: SBlockRV, unit: VectorUnit, decisions: Decisions, tile: RegisterTile, outside: int = 0
) -> tuple[LoopRV, LoopRV]:
    """Nests a register tile into a sum over input channels, the anchor's last two loops.

    :param outside: how many loops of one pass lie around the tile inside the loop over tiles.
    :returns: the loop over steps of ``unroll_k`` channels, and the unrolled one inside a step.
    """
    ko, ki = schedule.get_loops(anchor)[-2:]
    step, channel = schedule.split(ki, [None, decisions["unroll_k"]])
    loops = nest_register_tile(schedule, (ko, step, channel), tile, unit)
    unroll(schedule, channel)
    hold_inputs(schedule, anchor, step, unit)
    clear_accumulators(schedule, schedule.decompose_reduction(anchor, ko), len(loops) + outside)
    return step, channel


def hold_inputs(schedule: Schedule, anchor: SBlockRV, step: LoopRV, unit: VectorUnit) -> None:
    """NEON multiplies a vector by one lane of another: so the inputs of ``step``'s body, runs of input channels, are
    loaded by vectors first. Where runs are no whole vectors, and on x86, an instruction broadcasts each input."""
    if not unit.multiplies_by_lane:
        return
    inputs = schedule.cache_read(anchor, 0, "local")
    schedule.compute_at(inputs, step, preserve_unit_loops=True)
    *rows, channels = schedule.get_loops(inputs)[-2:]
    pixels = [schedule.get(loop).extent for loop in rows]
    is_whole = all(isinstance(extent, tirx.IntImm) for extent in pixels)  # else some pixels only make a tile whole
    if int(schedule.get(channels).extent) % unit.lanes or not is_whole:
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


def slide(schedule: Schedule, anchor: SBlockRV, unit: VectorUnit, pixel_loops: int) -> None:
    """Nests a tile of pixels, the anchor's last ``pixel_loops`` loops before the lanes', into its window, which is
    unrolled unless it is huge."""
    *_, ry, rx = loops = schedule.get_loops(anchor)
    *pixels, lane = loops[-pixel_loops - 3 : -2]
    schedule.reorder(ry, rx, *pixels, lane)
    vectors = vectorize_lanes(schedule, lane, unit)
    unroll(schedule, *pixels, vectors)
    unroll_while_small(schedule, (rx, ry), _product(schedule, (*pixels, vectors)))
    clear_accumulators(schedule, schedule.decompose_reduction(anchor, ry), tile_loops=pixel_loops + 1)
