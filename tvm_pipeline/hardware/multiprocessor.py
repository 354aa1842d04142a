"""A multiprocessor of an NVIDIA GPU: what all have in common, and how many blocks of a kernel one holds at once.

What differs from card to card is in :class:`tvm_pipeline.hardware.gpu.GpuUnit`. Limits and units are those of the CUDA
C++ Programming Guide ("Hardware Multithreading", "Compute Capabilities", "Device Memory Accesses") and of the CUDA
occupancy calculator; latencies are near those that arXiv 2208.11174 measured on the A100, and differ little from one
GPU to the next.
"""

from dataclasses import dataclass

from tvm_pipeline.hardware.gpu import GpuUnit

WARP = 32
"""Threads that run in step."""

SCHEDULERS = 4
"""Each issues an instruction of a warp per cycle."""

MOST_THREADS = 1024
"""A block has no more."""

STATIC_SHARED_BYTES = 48 * 1024
"""Arrays of a size known at compile time take no more of a block's shared memory, on any GPU."""

SYSTEM_SHARED_BYTES = 1024
"""The system takes so much of a multiprocessor's shared memory for every resident block, from Ampere on."""

SECTOR_BYTES, LINE_BYTES = 32, 128
"""Global memory is moved by whole sectors; a line of the caches has four."""

BANKS, WORD_BYTES = 32, 4
"""Each bank of shared memory serves one word per cycle."""

SHARED_BYTES_PER_CYCLE = BANKS * WORD_BYTES

L2_BYTES_PER_CYCLE = 47.0
"""A multiprocessor gets so many from the second-level cache: the A100's 5120 bytes (its white paper) over its 108."""

FIRST_LEVEL_BYTES = 28 * 1024
"""First-level cache that is left when shared memory takes all it can (192 of 164 KiB, 128 of 100, 256 of 228)."""

GLOBAL_CYCLES = 250.0
"""From a load of global memory to its value: 200 where the second-level cache has it, else 290."""

SHARED_CYCLES = 23.0
"""From a load of shared memory to its value."""

SUM_CYCLES = 4.0
"""From a multiply-add to its sum."""

BARRIER_CYCLES = 20.0
"""A barrier costs so many even where no warp keeps the others waiting (assumed)."""

_REGISTER_UNIT, _WARP_UNIT = 256, 4
"""Registers are given to warps in such units, and to so many warps at a time."""


@dataclass(frozen=True)
class Occupancy:
    """Of one multiprocessor.

    :ivar blocks: that it holds at once.
    :ivar share: of the warps that it could hold.
    :ivar limit: what keeps it from holding more: ``threads``, ``registers``, ``shared memory`` or ``blocks``.
    """

    blocks: int
    share: float
    limit: str


def warps_of(threads: int) -> int:
    """The warps of a block; one that is begun counts."""
    return -(-threads // WARP)


def occupancy(unit: GpuUnit, threads: int, registers: int, shared_bytes: int) -> Occupancy:
    """The resident blocks of a kernel.

    :param threads: of a block.
    :param registers: of a thread, as ptxas reports them.
    :param shared_bytes: of a block, static and dynamic.
    :raises ValueError: not a single block fits.
    """
    warps = warps_of(threads)
    limits = {
        "threads": unit.threads_per_multiprocessor // (warps * WARP),
        "blocks": unit.blocks_per_multiprocessor,
        "registers": _warps_by_registers(unit, registers) // warps,
        "shared memory": unit.shared_bytes_per_multiprocessor // _shared_allocation(unit, shared_bytes),
    }
    limit = min(limits, key=lambda name: limits[name])
    if limits[limit] < 1 or shared_bytes > unit.shared_bytes_per_block:
        raise ValueError(
            f"a block of {threads} threads with {registers} registers each and {shared_bytes} bytes of shared memory "
            "fits no multiprocessor"
        )
    share = limits[limit] * warps * WARP / unit.threads_per_multiprocessor
    return Occupancy(limits[limit], share, limit)


def _warps_by_registers(unit: GpuUnit, registers: int) -> int:
    per_warp = _round_up(max(registers, 1) * WARP, _REGISTER_UNIT)
    return unit.registers_per_multiprocessor // per_warp // _WARP_UNIT * _WARP_UNIT


def _shared_allocation(unit: GpuUnit, shared_bytes: int) -> int:
    system = SYSTEM_SHARED_BYTES if unit.is_ampere_or_newer else 0
    return max(1, _round_up(shared_bytes + system, 128 if unit.is_ampere_or_newer else 256))


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
