"""How many blocks of a kernel a multiprocessor holds at once.

Rules: CUDA C++ Programming Guide, "Hardware Multithreading" and "Compute Capabilities", and the CUDA occupancy
calculator: registers are given to warps in units of 256, warps in fours; shared memory to blocks in units of 128 bytes
(256 before compute capability 8.0), with 1 KiB more for the system from 8.0 on.
"""

from dataclasses import dataclass

from tvm_pipeline.backends.gpu_model.sampling import WARP
from tvm_pipeline.hardware.gpu import GpuUnit

_REGISTER_UNIT = 256
_WARP_UNIT = 4
_SYSTEM_BYTES = 1024
_AMPERE = 80


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


def occupancy(unit: GpuUnit, threads: int, registers: int, shared_bytes: int) -> Occupancy:
    """The resident blocks of a kernel.

    :param threads: of a block.
    :param registers: of a thread, as ptxas reports them.
    :param shared_bytes: of a block, static and dynamic.
    :raises ValueError: not a single block fits.
    """
    warps = -(-threads // WARP)
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
    is_ampere = unit.compute_capability >= _AMPERE
    taken = shared_bytes + (_SYSTEM_BYTES if is_ampere else 0)
    return max(1, _round_up(taken, 128 if is_ampere else 256))


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
