"""What a kernel's thread blocks cost a GPU, roughly: enough for a rule to choose among tiles without measuring."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import ceil

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import GLOBAL_CYCLES, L2_BYTES_PER_CYCLE, SYSTEM_SHARED_BYTES, WARP, warps_of
from tvm_pipeline.schedules.generator import Decisions, Knobs

L2_CAUTION = 47 / 12
"""Of the second-level cache, which all multiprocessors ask at once, each is taken to get so many times less."""

LATENCY_CAUTION = 2.4
"""A load is taken to last so many times longer, the second-level cache being busy."""

REACHED_BYTES_PER_CYCLE = L2_BYTES_PER_CYCLE / L2_CAUTION
REACHED_LATENCY = GLOBAL_CYCLES * LATENCY_CAUTION

LATENCY_WARPS = 8
"""As many warps on a multiprocessor hide the latency of shared memory and of multiply-adds."""

BLOCK_CYCLES = 100
"""Of starting a block and ending it, on a multiprocessor that runs others meanwhile."""

RESULTS_PER_BLOCK = 256
"""A block that makes no more is small enough, however many there are."""


def results_of(layer: Layer) -> int:
    """How many values a kernel stores, those that only fill the last block of channels among them."""
    return layer.batch * layer.out_height * layer.out_width * padded_channels(layer.out_channels)


def fills(unit: GpuUnit, blocks: int, results: int) -> bool:
    """Whether a kernel of so many ``results`` has a block for every multiprocessor, or all that are worth starting."""
    return blocks >= min(unit.multiprocessors, results // RESULTS_PER_BLOCK)


def cheapest(knobs: Knobs, is_sensible: Callable[[Decisions], bool], cycles: Callable[[Decisions], float]) -> Decisions:
    """The sensible point of a space that takes the fewest cycles; where none is sensible, the one of first values."""
    points = [dict(zip(knobs, values, strict=True)) for values in product(*knobs.values())]
    sensible = [point for point in points if is_sensible(point)]
    return min(sensible or points[:1], key=cycles)


@dataclass(frozen=True)
class BlockCost:
    """One block of a kernel.

    :ivar threads: of the block.
    :ivar requested: bytes that its threads read and write.
    :ivar at_once: bytes that it asks for before it must wait.
    :ivar busy: cycles of a multiprocessor that has this block alone and hides all latencies.
    :ivar shared: bytes of shared memory.
    :ivar rounds: how often it waits for memory, one after another.
    """

    threads: int
    requested: float
    at_once: float
    busy: float
    shared: int
    rounds: float = 1.0

    def cycles(self, unit: GpuUnit, blocks: int) -> float:
        """Until the last multiprocessor has done its share of ``blocks``.

        Caution has the system take its part of shared memory on older GPUs too, and registers are not known yet.
        """
        warps = warps_of(self.threads)
        share = ceil(blocks / unit.multiprocessors)
        resident = min(
            share,
            unit.blocks_per_multiprocessor,
            max(1, unit.threads_per_multiprocessor // (WARP * warps)),
            max(1, unit.shared_bytes_per_multiprocessor // (self.shared + SYSTEM_SHARED_BYTES)),
        )
        busy = share * self.busy / min(1.0, resident * warps / LATENCY_WARPS)
        in_flight = min(1.0, resident * self.at_once / (REACHED_BYTES_PER_CYCLE * REACHED_LATENCY))
        moved = blocks * self.requested / unit.multiprocessors / REACHED_BYTES_PER_CYCLE / in_flight
        waiting = ceil(share / resident) * (1 + self.rounds / 4) * REACHED_LATENCY
        idle = 2.0 if blocks < unit.multiprocessors else 1.0
        return idle * (busy + moved) + waiting + share * BLOCK_CYCLES
