"""What a kernel's thread blocks cost a GPU, roughly: enough for a rule to choose among tiles without measuring."""

from dataclasses import dataclass
from math import ceil

from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import (
    GLOBAL_CYCLES,
    L2_BYTES_PER_CYCLE,
    MOST_THREADS,
    SHARED_BYTES_PER_CYCLE,
    STATIC_SHARED_BYTES,
    SYSTEM_SHARED_BYTES,
    WARP,
    warps_of,
)
from tvm_pipeline.schedules.gpu.thread_block import ThreadBlock

L2_CAUTION = 47 / 12
"""Of the second-level cache, which all multiprocessors ask at once, each is taken to get so many times less."""

LATENCY_CAUTION = 2.4
"""A load is taken to last so many times longer, the second-level cache being busy."""

REACHED_BYTES_PER_CYCLE = L2_BYTES_PER_CYCLE / L2_CAUTION
REACHED_LATENCY = GLOBAL_CYCLES * LATENCY_CAUTION

REACHED_SHARED_BYTES_PER_CYCLE = SHARED_BYTES_PER_CYCLE / 2
"""By scalar code, whose addresses and conditions take their turns too; tensor cores' loads reach the whole."""

LATENCY_WARPS = 8
"""As many warps on a multiprocessor hide the latency of shared memory and of multiply-adds."""

BLOCK_CYCLES = 100
"""Of starting a block and ending it, on a multiprocessor that runs others meanwhile."""

CHANNELS_AT_ONCE = 4
"""Input channels that a thread multiplies out of its registers: a vector of each of its pixels."""


@dataclass(frozen=True)
class Tile:
    """What a thread block makes and takes by one choice of decisions.

    :ivar threads: of the block.
    :ivar blocks: of the kernel.
    :ivar shared: bytes of shared memory.
    :ivar requested: bytes that the block's threads read and write.
    :ivar at_once: bytes that it asks for before it must wait.
    :ivar busy: cycles of a multiprocessor that has this block alone and hides all latencies.
    :ivar rounds: how often it waits for memory, one after another.
    :ivar is_whole: whether every thread gets the same part.
    :ivar is_worthwhile: whether nothing else speaks against it: a multiprocessor left idle, say.
    """

    threads: ThreadBlock
    blocks: int
    shared: int
    requested: float
    at_once: float
    busy: float
    rounds: float = 1.0
    is_whole: bool = True
    is_worthwhile: bool = True

    @property
    def is_sensible(self) -> bool:
        is_launched = self.threads.count <= MOST_THREADS and self.shared <= STATIC_SHARED_BYTES
        return self.is_whole and self.is_worthwhile and is_launched

    def cycles(self, unit: GpuUnit) -> float:
        """Until the last multiprocessor has done its share of the blocks.

        Caution has the system take its part of shared memory on older GPUs too, and registers are not known yet.
        """
        warps = warps_of(self.threads.count)
        share = ceil(self.blocks / unit.multiprocessors)
        resident = min(
            share,
            unit.blocks_per_multiprocessor,
            max(1, unit.threads_per_multiprocessor // (WARP * warps)),
            max(1, unit.shared_bytes_per_multiprocessor // (self.shared + SYSTEM_SHARED_BYTES)),
        )
        busy = share * self.busy / min(1.0, resident * warps / LATENCY_WARPS)
        in_flight = min(1.0, resident * self.at_once / (REACHED_BYTES_PER_CYCLE * REACHED_LATENCY))
        moved = self.blocks * self.requested / unit.multiprocessors / REACHED_BYTES_PER_CYCLE / in_flight
        waiting = ceil(share / resident) * (1 + self.rounds / 4) * REACHED_LATENCY
        idle = 2.0 if self.blocks < unit.multiprocessors else 1.0
        return idle * (busy + moved) + waiting + share * BLOCK_CYCLES


def multiply_cycles(threads: ThreadBlock, inputs: int, pixels: int) -> float:
    """Of a multiprocessor, for ``inputs`` channels of a tile whose threads make ``pixels`` by four channels each.

    Four input channels are 16 multiply-adds per pixel, half a cycle each; vectors of a pixel and of weights take four.
    """
    return warps_of(threads.count) * inputs / CHANNELS_AT_ONCE * max(8 * pixels, 4 * pixels + 16)
