"""Operands on their way to a thread: all threads of a block copy into shared memory, each from there into registers."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import BANKS
from tvm_pipeline.schedules.annotations import Kernel
from tvm_pipeline.schedules.gpu.thread_block import ThreadBlock, bind_threads, compute_in, unroll_all

MOST_COPIES = 16
"""By one thread, one after another without a loop: so many loads are under way at once."""

FLOAT_LANES = 4
"""The widest load of float32."""

WINDOW_LANES = 4
"""A vector of a window's weights, which are float32."""

WEIGHT_PITCH = 16
"""Values between two channel blocks' weights, so that neither meets the other in a bank of shared memory."""


def hold(schedule: Schedule, anchor: SBlockRV, operand: int, loop: LoopRV, most_lanes: int = FLOAT_LANES) -> SBlockRV:
    """What ``anchor`` reads of an operand in a step of ``loop`` lies in the thread's registers; returns that copy."""
    registers = schedule.cache_read(anchor, operand, "local")
    compute_in(schedule, registers, loop)
    *outer, row = _own_loops(schedule, registers)
    vectors, vector = schedule.split(row, [None, _lanes(schedule, row, most_lanes)])
    schedule.vectorize(vector)
    unroll_all(schedule, [*outer, vectors])
    return registers


def share(schedule: Schedule, copy: SBlockRV, loop: LoopRV, threads: ThreadBlock, most_lanes: int) -> None:
    """All threads share out what ``copy`` brings in a step of ``loop``, by vectors as wide as its rows allow."""
    compute_in(schedule, copy, loop)
    *outer, row = _own_loops(schedule, copy)
    # before the others are fused: a border's condition would else depend on the lane, and no vector be loaded
    row, vector = schedule.split(row, [None, _lanes(schedule, row, most_lanes)])
    fused = schedule.fuse(*outer, row)
    vectors = int(schedule.get(fused).extent)
    steps, *axes = schedule.split(fused, [None, *threads.extents])
    bind_threads(schedule, *axes)
    schedule.vectorize(vector)
    if vectors <= MOST_COPIES * threads.count:
        schedule.unroll(steps)


def share_padded(schedule: Schedule, kernel: Kernel, loop: LoopRV, threads: ThreadBlock, most_lanes: int) -> SBlockRV:
    """The same with a kernel's input, which gets its border on the way; returns that copy."""
    assert kernel.padding is not None
    schedule.set_scope(kernel.padding, 0, "shared")
    share(schedule, kernel.padding, loop, threads, most_lanes)
    return kernel.padding


def keep_apart(schedule: Schedule, shared: SBlockRV, axis: int, pitch: int | None) -> None:
    """Steps along an axis of shared memory lie ``pitch`` values apart, or a multiple of all banks more.

    :param pitch: None where they may lie as they do.
    """
    if pitch is not None:
        schedule.storage_align(shared, 0, axis=axis, factor=BANKS, offset=pitch)


def copy_stages(unit: GpuUnit) -> tuple[int, ...]:
    """Into how many steps a copy into shared memory and its use may be taken apart."""
    return (1, 2) if unit.is_ampere_or_newer else (1,)


def copy_ahead(schedule: Schedule, step: LoopRV) -> None:
    """The loop's body is two copies and their use: the copies run one step ahead, into a second buffer."""
    schedule.annotate(step, "software_pipeline_stage", [0, 0, 1])
    schedule.annotate(step, "software_pipeline_order", [0, 1, 2])
    schedule.annotate(step, "software_pipeline_async_stages", [0])


def _own_loops(schedule: Schedule, copy: SBlockRV) -> list[LoopRV]:
    """One for each axis of what is copied."""
    return list(schedule.get_loops(copy)[-len(schedule.get(copy).iter_vars) :])


def _lanes(schedule: Schedule, row: LoopRV, most: int) -> int:
    """The widest vector that a row is a multiple of: ``most``, or a half, a quarter ... of it."""
    lanes = most
    while int(schedule.get(row).extent) % lanes:
        lanes //= 2
    return lanes
