"""Copies into shared memory that run while the step before is computed."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV

from tvm_pipeline.hardware.gpu import GpuUnit


def copy_stages(unit: GpuUnit) -> tuple[int, ...]:
    """Into how many steps a copy and its use may be taken apart."""
    return (1, 2) if unit.is_ampere_or_newer else (1,)


def copy_ahead(schedule: Schedule, step: LoopRV) -> None:
    """The loop's body is two copies and their use: the copies run one step ahead, into a second buffer."""
    schedule.annotate(step, "software_pipeline_stage", [0, 0, 1])
    schedule.annotate(step, "software_pipeline_order", [0, 1, 2])
    schedule.annotate(step, "software_pipeline_async_stages", [0])
