"""Sums over many values into few results: what is read is what it costs, and groups of threads share it out."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.schedules.gpu.grouped_sum import share_reduction
from tvm_pipeline.schedules.gpu.thread_block import bind_blocks, loops_below, unroll_all
from tvm_pipeline.schedules.kernel import Kernel

MOST_LANES = 4


def sum_columns(
    schedule: Schedule, kernel: Kernel, reduction: LoopRV, tile: LoopRV, columns: LoopRV, groups: int, unroll: int
) -> None:
    """A block per step of ``tile``; its ``columns`` results lie side by side, and a thread sums up to four of them.

    ``reduction`` is the loop that ``groups`` of threads share out; ``unroll`` of its steps are under way at once.
    """
    parts = share_reduction(schedule, kernel.anchor, reduction, groups)
    bind_blocks(schedule, tile)
    owner = _bind_columns(schedule, columns)
    if parts.total is not None and parts.partial is not None:
        schedule.compute_at(parts.total, tile, preserve_unit_loops=True)
        schedule.compute_at(parts.partial, tile, preserve_unit_loops=True)
        group, *_, column = loops_below(schedule, parts.total, tile)
        _bind_columns(schedule, column)
        vector = schedule.get_loops(parts.total)[-1]
        schedule.reorder(column_of(schedule, parts.total), group, vector)
        schedule.unroll(group)
        schedule.decompose_reduction(parts.total, group)
        group, *_, column = loops_below(schedule, parts.partial, tile)
        schedule.bind(group, "threadIdx.y")
        owner = _bind_columns(schedule, column)
    _accumulate(schedule, parts.anchor, owner, unroll)


def column_of(schedule: Schedule, block: SBlockRV) -> LoopRV:
    """The loop over threads around a block whose innermost loop is a vector."""
    return schedule.get_loops(block)[-2]


def _bind_columns(schedule: Schedule, columns: LoopRV) -> LoopRV:
    extent = int(schedule.get(columns).extent)
    lanes = next(size for size in (MOST_LANES, 2, 1) if extent % size == 0)
    column, vector = schedule.split(columns, [None, lanes])
    schedule.bind(column, "threadIdx.x")
    schedule.vectorize(vector)
    return column


def _accumulate(schedule: Schedule, anchor: SBlockRV, owner: LoopRV, unroll: int) -> None:
    schedule.compute_at(anchor, owner, preserve_unit_loops=True)
    *_, vector, steps = schedule.get_loops(anchor)
    extent = int(schedule.get(steps).extent)
    inner = next(size for size in range(min(unroll, extent), 0, -1) if extent % size == 0)
    outer, step = schedule.split(steps, [None, inner])
    schedule.reorder(outer, step, vector)
    schedule.vectorize(vector)
    unroll_all(schedule, [step])
    clear = schedule.decompose_reduction(anchor, outer)
    schedule.vectorize(schedule.get_loops(clear)[-1])
