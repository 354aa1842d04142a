"""Sums over many values into few results: what is read is what it costs, and groups of threads share it out."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.schedules.annotations import Kernel
from tvm_pipeline.schedules.gpu.grouped_sum import share_reduction
from tvm_pipeline.schedules.gpu.thread_block import bind_blocks, bind_threads, loops_below, unroll_all

MOST_LANES = 4


def sum_columns(
    schedule: Schedule, kernel: Kernel, reduction: LoopRV, tile: LoopRV, columns: LoopRV, groups: int, unroll: int
) -> None:
    """A block per step of ``tile``; its ``columns`` results lie side by side, and a thread sums up to four of them.

    ``reduction`` is the loop that ``groups`` of threads share out; ``unroll`` of its steps are under way at once.
    Where there are several groups, each result is then added up and stored by one thread.
    """
    parts = share_reduction(schedule, kernel.anchor, reduction, groups)
    bind_blocks(schedule, tile)
    if parts.total is None or parts.partial is None:
        owner = _bind_vectors(schedule, columns)
    else:
        width = int(schedule.get(columns).extent)
        threads = width // _lanes(width)
        schedule.compute_at(parts.total, tile, preserve_unit_loops=True)
        schedule.compute_at(parts.partial, tile, preserve_unit_loops=True)
        _bind_results(schedule, columns, groups, threads)
        group, *_, column = loops_below(schedule, parts.total, tile)
        own = _bind_results(schedule, column, groups, threads)
        schedule.reorder(group, own)
        unroll_all(schedule, [group, own])
        schedule.decompose_reduction(parts.total, group)
        group, *_, column = loops_below(schedule, parts.partial, tile)
        bind_threads(schedule, None, group, None)
        owner = _bind_vectors(schedule, column)
    _accumulate(schedule, parts.anchor, owner, unroll)


def _lanes(width: int) -> int:
    return next(size for size in (MOST_LANES, 2, 1) if width % size == 0)


def _bind_vectors(schedule: Schedule, columns: LoopRV) -> LoopRV:
    """A thread per vector of columns; returns the loop over threads."""
    column, vector = schedule.split(columns, [None, _lanes(int(schedule.get(columns).extent))])
    bind_threads(schedule, None, None, column)
    schedule.vectorize(vector)
    return column


def _bind_results(schedule: Schedule, columns: LoopRV, groups: int, threads: int) -> LoopRV:
    """A thread per column, as far as there are threads; returns the loop over what a thread has to do."""
    own, group, thread = schedule.split(columns, [None, groups, threads])
    bind_threads(schedule, None, group, thread)
    schedule.reorder(group, thread, own)
    return own


def _accumulate(schedule: Schedule, anchor: SBlockRV, owner: LoopRV, unroll: int) -> None:
    schedule.compute_at(anchor, owner, preserve_unit_loops=True)
    *_, vector, steps = schedule.get_loops(anchor)
    extent = int(schedule.get(steps).extent)
    inner = next(size for size in range(min(unroll, extent), 0, -1) if extent % size == 0)
    outer, step = schedule.split(steps, [None, inner])
    schedule.reorder(outer, step, vector)
    schedule.vectorize(vector)
    schedule.unroll(step)
    clear = schedule.decompose_reduction(anchor, outer)
    schedule.vectorize(schedule.get_loops(clear)[-1])
