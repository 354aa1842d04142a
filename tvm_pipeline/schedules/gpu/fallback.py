"""A plain schedule for kernels that no generator knows: a thread per result, or per vector of results."""

import tvm
from tvm import tirx
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import WARP
from tvm_pipeline.schedules.annotations import inline_injective
from tvm_pipeline.schedules.gpu.thread_block import bind_blocks

MOST_THREADS_PER_BLOCK = 256


def schedule_gpu_fallback(function: tirx.PrimFunc, unit: GpuUnit) -> tirx.PrimFunc:
    """The function with every block bound to threads.

    :raises ScheduleError: a block's loops cannot be bound.
    """
    schedule = Schedule(tvm.IRModule({"main": function}))
    bind_plainly(schedule, unit)
    return schedule.mod["main"].with_attrs(dict(function.attrs))


def bind_plainly(schedule: Schedule, unit: GpuUnit) -> None:
    """Binds every block of a kernel to threads.

    :raises ScheduleError: a block's loops cannot be bound.
    """
    for block in inline_injective(schedule):
        _schedule_block(schedule, block, unit)


def _schedule_block(schedule: Schedule, block: SBlockRV, unit: GpuUnit) -> None:
    loops = schedule.get_loops(block)
    variables = schedule.get(block).iter_vars
    is_plain = len(loops) == len(variables)
    spatial = [
        loop
        for position, loop in enumerate(loops)
        if is_plain and variables[position].iter_type == tirx.IterVar.DataPar
    ]
    reduction = [loop for loop in loops if all(loop is not other for other in spatial)]
    if not spatial:
        spatial = [schedule.add_unit_loop(loops[0] if loops else block)]
    schedule.reorder(*spatial, *reduction)
    vector = None if reduction else _vector(schedule, spatial[-1])
    if vector is not None:
        *outer, last = spatial
        last, vector_loop = schedule.split(last, [None, vector])
        schedule.vectorize(vector_loop)
        spatial = [*outer, last]
    fused = schedule.fuse(*spatial)
    results = int(schedule.get(fused).extent)
    threads = min(MOST_THREADS_PER_BLOCK, max(WARP, _round_up(results // unit.multiprocessors)), _round_up(results))
    blocks, thread = schedule.split(fused, [None, threads])
    bind_blocks(schedule, blocks)
    schedule.bind(thread, "threadIdx.x")
    if reduction:
        schedule.decompose_reduction(block, reduction[0])


def _round_up(threads: int) -> int:
    return -(-threads // WARP) * WARP


def _vector(schedule: Schedule, loop: LoopRV) -> int | None:
    extent = int(schedule.get(loop).extent)
    return next((size for size in (4, 2) if extent % size == 0), None)
