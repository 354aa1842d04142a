"""How long a launch might take: a roofline over its parts, limited by latency where few warps are resident.

All in cycles of one multiprocessor, the busiest: it gets ``n = ceil(blocks / multiprocessors)`` blocks, at most
``occupancy.blocks`` at once. A block needs, of a multiprocessor that has enough to do,

    busy = max(float32 instructions / lanes, tensor-core multiply-adds / their rate, wavefronts,
               issued instructions / 4, bytes from the second-level cache / L2_BYTES_PER_CYCLE)

and alone at least the time of one warp (:mod:`tvm_pipeline.backends.gpu_model.warp_time`). A round of ``r`` resident
blocks takes ``max(warp time, r * busy)``; full rounds and a last one follow each other. The whole takes no less than
its cold bytes need at the memory's bandwidth. Sources: Williams et al., "Roofline" (CACM 2009); CUDA C++ Best Practices
Guide on occupancy and coalescing; NVIDIA's A100 white paper for the width of the second-level cache's port.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tvm_pipeline.backends.gpu_model.counts import LaunchCounts
from tvm_pipeline.backends.gpu_model.warp_time import WarpTime, warp_time
from tvm_pipeline.codegen.cuda.fatbin import KernelResources
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import (
    FIRST_LEVEL_BYTES,
    L2_BYTES_PER_CYCLE,
    SCHEDULERS,
    Occupancy,
    occupancy,
)

MODEL_VERSION = 1
"""Raised with every change of what the model says: older modelled records are then no rivals for new ones."""

_RESIDENT_SHARE = 0.5
"""Activations of this part of the second-level cache are still there when the next kernel reads them."""
_WEIGHTS = ("weight", "bias")
_SPILL_WAVEFRONTS = 1.0


@dataclass(frozen=True)
class Estimate:
    """:ivar seconds: of the launch, ``launch_us`` included.
    :ivar bound: what takes the longest: ``latency``, ``compute``, ``tensor cores``, ``load/store``, ``issue``,
        ``second-level cache``, ``memory`` or ``launch``.
    :ivar waves: rounds of resident blocks, the last one counted by its share."""

    seconds: float
    occupancy: Occupancy
    waves: float
    bound: str
    cold_bytes: int


def is_weight(buffer: str) -> bool:
    """Whether a kernel's argument is a constant of the network, by the name that the workloads give it."""
    return any(part in buffer for part in _WEIGHTS)


def estimate(
    counts: LaunchCounts, resources: KernelResources, unit: GpuUnit, is_cold: Callable[[str], bool] = is_weight
) -> Estimate:
    """The modelled time of one launch.

    :param resources: what ptxas says of its kernel.
    :param is_cold: whether a buffer comes from memory each time, as weights do.
    :raises ValueError: a block fits no multiprocessor.
    """
    function = counts.function
    shared = max(resources.shared_bytes, counts.shared_bytes)
    resident = occupancy(unit, function.threads, resources.registers, shared)
    alone = warp_time(function, unit)
    parts = _busy_cycles(counts, resources, unit, resident, alone)
    busy = max(parts.values())
    blocks = -(-function.blocks // unit.multiprocessors)
    rounds, rest = divmod(blocks, resident.blocks)
    cycles = rounds * max(alone.cycles, resident.blocks * busy)
    cycles += max(alone.cycles, rest * busy) if rest else 0.0
    hertz = unit.clock_mhz * 1e6
    cold = _cold_bytes(counts, unit, is_cold)
    times = {
        **{name: blocks * value / hertz for name, value in parts.items()},
        "memory": cold / (unit.bandwidth_gb_s * 1e9),
        "launch": unit.launch_us * 1e-6,
    }
    kernel = max(cycles / hertz, times["memory"])
    times["latency"] = cycles / hertz if cycles > 1.05 * blocks * busy else 0.0
    return Estimate(
        seconds=kernel + times["launch"],
        occupancy=resident,
        waves=function.blocks / (unit.multiprocessors * resident.blocks),
        bound=max(times, key=lambda name: times[name]),
        cold_bytes=cold,
    )


def _busy_cycles(
    counts: LaunchCounts, resources: KernelResources, unit: GpuUnit, resident: Occupancy, alone: WarpTime
) -> dict[str, float]:
    """Cycles of a multiprocessor per block, by what is busy."""
    blocks = counts.function.blocks
    warps = counts.function.warps
    spills = resources.spill_bytes / 4 * _SPILL_WAVEFRONTS * warps
    return {
        "compute": counts.arithmetic.instructions / blocks / unit.fp32_lanes_per_multiprocessor,
        "tensor cores": counts.arithmetic.tensor_flops / 2 / blocks / unit.half_tensor_fma_per_cycle,
        "load/store": counts.wavefronts / blocks + spills,
        "issue": alone.slots * warps / SCHEDULERS,
        "second-level cache": _second_level_bytes(counts, unit, resident) / L2_BYTES_PER_CYCLE,
    }


def _second_level_bytes(counts: LaunchCounts, unit: GpuUnit, resident: Occupancy) -> float:
    """Per block: stores, and of the loads those that the first-level cache does not hold."""
    blocks = counts.function.blocks
    loads = counts.load_sector_bytes / blocks
    stores = (counts.sector_bytes - counts.load_sector_bytes) / blocks
    cache = unit.shared_bytes_per_multiprocessor + FIRST_LEVEL_BYTES - resident.blocks * counts.shared_bytes
    needed = max(resident.blocks * counts.block_footprint, 1.0)
    held = min(1.0, cache / needed)
    distinct = min(counts.block_footprint, loads)
    return stores + distinct + (loads - distinct) * (1 - held)


def _cold_bytes(counts: LaunchCounts, unit: GpuUnit, is_cold: Callable[[str], bool]) -> int:
    """Weights, and activations where they do not fit the second-level cache."""
    everything = counts.unique_bytes()
    weights = counts.unique_bytes([access.buffer for access in counts.accesses if is_cold(access.buffer)])
    return weights if everything - weights <= _RESIDENT_SHARE * unit.l2_bytes else everything
