"""What a tile of a matrix product costs a GPU, roughly: enough to choose a default among tiles."""

from dataclasses import dataclass
from math import ceil

from tvm_pipeline.channel_block import channel_block, padded_channels
from tvm_pipeline.gpu_unit import GpuUnit
from tvm_pipeline.layer import Layer
from tvm_pipeline.schedules.generator import Decisions

L2_BYTES_PER_CYCLE = 40
"""That a multiprocessor gets from the second-level cache, all of them busy."""

START_CYCLES = 1500
"""Until the first step's operands have come from memory, and for storing the result."""

STEP_CYCLES = 60
"""Of a step's barriers and copies that nothing hides."""

LATENCY_WARPS = 8
"""As many warps on a multiprocessor hide the latency of shared memory and of multiply-adds."""


@dataclass(frozen=True)
class ProductCost:
    """``cycles`` until the last multiprocessor is done; ``shared_bytes`` of static shared memory per block."""

    cycles: float
    shared_bytes: int

    @staticmethod
    def of(layer: Layer, unit: GpuUnit, decisions: Decisions) -> "ProductCost":
        """For a pointwise layer and the decisions of its generator."""
        tile_m, tile_n, thread_m, groups = (decisions[name] for name in ("tile_m", "tile_n", "thread_m", "groups"))
        inputs, in_lanes = padded_channels(layer.in_channels), channel_block(layer.in_channels)
        tiles = ceil(layer.height * layer.width / tile_m)
        blocks = layer.batch * tiles * padded_channels(layer.out_channels) // tile_n
        per_multiprocessor = ceil(blocks / unit.multiprocessors)
        warps = groups * (tile_m // thread_m) * (tile_n // 4) / 32
        size = 2 if unit.dtype == "float16" else 4
        step = decisions["step"] * in_lanes * groups
        shared = decisions["stages"] * step * (tile_m * (20 if tile_n < 32 else 16) // 16 + tile_n) * size
        partial = groups * tile_m * tile_n * 4 if groups > 1 else 0
        multiply = ceil(warps) * inputs / groups / 4 * max(8 * thread_m, 2 * thread_m + 16)
        resident = min(per_multiprocessor, max(1, int(unit.threads_per_multiprocessor // max(32, 32 * warps))))
        hidden = min(1.0, resident * max(1.0, warps) / LATENCY_WARPS)
        copied = (tile_m + tile_n) * inputs * size / L2_BYTES_PER_CYCLE
        idle = inputs / step * STEP_CYCLES
        busy = per_multiprocessor * max(multiply / hidden, copied)
        unused = 2.0 if blocks < unit.multiprocessors else 1.0
        return ProductCost(START_CYCLES + unused * busy + idle + 4 * groups, shared + partial)
