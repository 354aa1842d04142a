"""A schedule for kernels that no generator knows: any chain of elementwise stages and reductions.

Every axis of the result along which no stage reduces is an outer loop, inside which all stages run one after another
on what one step needs: a row, or a run of columns. Innermost loops become vectors.
"""

from math import prod

import tvm
from tvm import tirx
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV, ScheduleError

from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import inline_injective
from tvm_pipeline.schedules.cpu.loop_index import Access
from tvm_pipeline.schedules.cpu.stages import common_axes, is_reduction, is_shared_call, reduces_rows
from tvm_pipeline.schedules.cpu.vectorize import vectorize_innermost

MOST_COLUMNS = 128
"""That all stages are computed for at a time, where rows lie side by side in memory."""

MOST_LOCAL_VALUES = 4096
"""Of one stage and step: they lie on the stack, inside the first-level cache."""

TRANSPOSED_ROWS = 16
"""That vectors are read from before they are stored across: LLVM makes shuffles of such a tile."""

WORTH_THREADS = 16 * 1024
"""Results; fewer are not shared out among threads."""


def schedule_fallback(function: tirx.PrimFunc, unit: VectorUnit) -> tirx.PrimFunc:
    """The function scheduled as far as its blocks allow; one that is beyond these rules keeps its loops."""
    schedule = Schedule(tvm.IRModule({"main": function}))
    blocks = inline_injective(schedule, is_shared_call)
    scheduled = _by_steps(schedule, blocks, unit) or _one_by_one(schedule, blocks, unit)
    return vectorize_innermost(scheduled.mod["main"], unit.lanes).with_attrs(dict(function.attrs))


def _by_steps(schedule: Schedule, blocks: list[SBlockRV], unit: VectorUnit) -> Schedule | None:
    """All stages by steps of the result; None where that cannot be done."""
    attempt = schedule.copy()
    try:
        _schedule_stages(attempt, blocks, unit)
    except ScheduleError:
        return None
    return attempt


def _one_by_one(schedule: Schedule, blocks: list[SBlockRV], unit: VectorUnit) -> Schedule:
    for block in blocks:
        schedule = _by_steps(schedule, [block], unit) or schedule
    return schedule


def _schedule_stages(schedule: Schedule, blocks: list[SBlockRV], unit: VectorUnit) -> None:
    *stages, output = blocks
    if is_reduction(schedule, output):
        stages, output = [*stages, output], schedule.cache_write(output, 0, "local")
    loops = schedule.get_loops(output)
    if not loops or len(loops) != len(schedule.get(output).iter_vars):
        return
    if not stages:
        _schedule_elementwise(schedule, output, unit)
        return
    results = prod(_extent(schedule, loop) for loop in loops)
    common = common_axes(schedule, stages, output)
    last = max((axis for axis, loop in enumerate(loops) if _extent(schedule, loop) > 1), default=0)
    has_columns = last in common and not any(reduces_rows(schedule, stage) for stage in stages)
    rows = [loops[axis] for axis in sorted(common) if not (has_columns and axis == last)]
    inner = _units_first(schedule, [loop for axis, loop in enumerate(loops) if axis not in common])
    columns = []
    if has_columns:
        outer, run = _cut_columns(schedule, loops[last])
        rows, columns = [*rows, outer], [run]
    if not rows:
        rows = [schedule.add_unit_loop(loops[0])]
    schedule.reorder(*rows, *inner, *columns)
    step = _share_out(schedule, rows, results)
    for stage in reversed(stages):
        schedule.compute_at(stage, step, preserve_unit_loops=True)
    for stage in stages:
        _order_stage(schedule, stage, by_columns=bool(columns))


def _cut_columns(schedule: Schedule, loop: LoopRV) -> tuple[LoopRV, LoopRV]:
    """The loop over runs of columns, and the one inside a run: whole vectors if possible."""
    extent = _extent(schedule, loop)
    sizes = [size for size in range(1, min(extent, MOST_COLUMNS) + 1) if extent % size == 0]
    size = max([size for size in sizes if size % 16 == 0] or sizes)
    if size < 16 and extent <= MOST_LOCAL_VALUES:
        size = extent
    outer, inner = schedule.split(loop, [None, size])
    return outer, inner


def _order_stage(schedule: Schedule, stage: SBlockRV, *, by_columns: bool) -> None:
    """Nests a stage's columns, or else what it reduces over, innermost."""
    kinds = _kinds(schedule, stage, schedule.get_loops(stage)[1:])
    spatial = [loop for loop, is_spatial in kinds if is_spatial]
    reduction = [loop for loop, is_spatial in kinds if not is_spatial]
    if prod(_extent(schedule, loop) for loop in spatial) <= MOST_LOCAL_VALUES:
        schedule.set_scope(stage, 0, "local")
    columns = spatial[-1:] if by_columns else []
    reduction = _units_first(schedule, reduction)
    order = [*_units_first(schedule, spatial[: len(spatial) - len(columns)]), *reduction, *columns]
    schedule.reorder(*order)
    if reduction:
        schedule.decompose_reduction(stage, reduction[0])


def _units_first(schedule: Schedule, loops: list[LoopRV]) -> list[LoopRV]:
    """The loops with those of one pass outermost: only the innermost one becomes vectors."""
    return sorted(loops, key=lambda loop: _extent(schedule, loop) > 1)


def _kinds(schedule: Schedule, block: SBlockRV, loops: list[LoopRV]) -> list[tuple[LoopRV, bool]]:
    """Each of the loops, and whether it goes over results."""
    variables = schedule.get(block).iter_vars
    return [(loop, var.iter_type == tirx.IterVar.DataPar) for loop, var in zip(loops, variables, strict=True)]


def _schedule_elementwise(schedule: Schedule, block: SBlockRV, unit: VectorUnit) -> None:
    """Vectors along the axis where results lie side by side, or a tile of vectors where operands lie otherwise."""
    loops, access = schedule.get_loops(block), Access(schedule.get(block))
    results = prod(_extent(schedule, loop) for loop in loops)
    if access.is_flat() and results % unit.lanes == 0:
        outer, inner = schedule.split(schedule.fuse(*loops), [None, unit.lanes])
        schedule.vectorize(inner)
        _share_out(schedule, [outer], results)
        return
    sizes = [_extent(schedule, loop) for loop in loops]
    stored = max(
        (axis for axis, size in enumerate(sizes) if size > 1 and access.stores_side_by_side(access.variables[axis])),
        key=lambda axis: sizes[axis],
        default=None,
    )
    if stored is None:
        return
    runs = [] if access.reads_side_by_side(access.variables[stored]) else _runs(access, sizes, stored, unit)
    if not runs:
        outer = [loop for axis, loop in enumerate(loops) if axis != stored]
        if outer:
            schedule.reorder(*outer, loops[stored])
            _share_out(schedule, outer, results)
        return
    lanes, read = max(runs)
    others = [loop for axis, loop in enumerate(loops) if axis not in (stored, read)]
    blocks, vector = schedule.split(loops[read], [None, lanes])
    rows, row = schedule.split(loops[stored], [None, _rows_of(sizes[stored])])
    schedule.reorder(*others, blocks, rows, row, vector)
    schedule.vectorize(vector)
    schedule.unroll(row)
    _share_out(schedule, [*others, blocks], results)


def _runs(access: Access, sizes: list[int], stored: int, unit: VectorUnit) -> list[tuple[int, int]]:
    """How many values can be read as a vector along which other axis than that of stores."""
    return [
        (lanes, axis)
        for axis, size in enumerate(sizes)
        for lanes in (16, 8, 4)
        if axis != stored and lanes <= unit.lanes and size % lanes == 0
        if access.reads_runs(access.variables[axis], lanes)
    ]


def _rows_of(extent: int) -> int:
    """How many vectors a transposed tile has: no remainder if that costs little."""
    whole = max(size for size in range(1, min(extent, TRANSPOSED_ROWS) + 1) if extent % size == 0)
    return whole if whole >= TRANSPOSED_ROWS // 2 else min(extent, TRANSPOSED_ROWS)


def _share_out(schedule: Schedule, loops: list[LoopRV], results: int) -> LoopRV:
    """Fuses loops and shares them out among threads, where that is worth it for so many ``results`` of the kernel."""
    fused = schedule.fuse(*loops)
    if results >= WORTH_THREADS:
        schedule.parallel(fused)
    return fused


def _extent(schedule: Schedule, loop: LoopRV) -> int:
    return int(schedule.get(loop).extent)
