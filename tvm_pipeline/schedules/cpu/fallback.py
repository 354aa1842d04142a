"""A plain schedule for kernels that no generator knows: outer loops in parallel, the innermost one in vectors."""

import tvm
from tvm import tirx
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV, ScheduleError

from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import inline_injective


def schedule_fallback(function: tirx.PrimFunc, unit: VectorUnit) -> tirx.PrimFunc:
    """The function scheduled as far as its blocks allow; one that is beyond this rule is returned as it is."""
    schedule = Schedule(tvm.IRModule({"main": function}))
    for block in inline_injective(schedule):
        attempt = schedule.copy()
        try:
            _schedule_block(schedule, block, unit)
        except ScheduleError:
            schedule = attempt
    return schedule.mod["main"].with_attrs(dict(function.attrs))


def _schedule_block(schedule: Schedule, block: SBlockRV, unit: VectorUnit) -> None:
    variables = schedule.get(block).iter_vars
    loops = schedule.get_loops(block)
    if len(loops) != len(variables) or not loops:
        return
    spatial = [loop for loop, var in zip(loops, variables, strict=True) if var.iter_type == tirx.IterVar.DataPar]
    reduction = [loop for loop, var in zip(loops, variables, strict=True) if var.iter_type != tirx.IterVar.DataPar]
    if not spatial:
        return
    if reduction:
        *outer, inner = spatial
        schedule.reorder(*outer, *reduction, inner)
        _vectorize(schedule, inner, unit)
        if outer:
            schedule.parallel(schedule.fuse(*outer))
        return
    fused = schedule.fuse(*spatial)
    chunk = next((size for size in (unit.lanes, 8, 4, 2) if int(schedule.get(fused).extent) % size == 0), 1)
    outer_loop, inner_loop = schedule.split(fused, [None, chunk])
    schedule.vectorize(inner_loop)
    if int(schedule.get(outer_loop).extent) >= 1024:
        schedule.parallel(outer_loop)


def _vectorize(schedule: Schedule, loop, unit: VectorUnit) -> None:  # type: ignore[no-untyped-def]
    extent = int(schedule.get(loop).extent)
    chunk = next((size for size in (unit.lanes, 8, 4, 2) if extent % size == 0), None)
    if chunk is not None:
        schedule.vectorize(schedule.split(loop, [None, chunk])[1])
