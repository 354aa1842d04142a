"""From an execution to cycles."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tvm_pipeline.backends.arm_model.blocks import Block, blocks_of, loop_exits
from tvm_pipeline.backends.arm_model.core import Core
from tvm_pipeline.backends.arm_model.execution import Execution, Missed
from tvm_pipeline.backends.arm_model.instruction import class_of
from tvm_pipeline.backends.arm_model.throughput import Throughput

HOT_SHARE = 0.995
"""Of the executed instructions: the blocks that llvm-mca looks at; the rest counts a cycle per instruction."""

COUNTABLE_PASSES = 16
"""A branch predictor knows the end of loops up to so many passes."""


@dataclass(frozen=True)
class Estimate:
    """What a program would cost on a core. Modelled, not measured.

    :ivar pipeline_cycles: executions of basic blocks by llvm-mca's reciprocal throughput.
    :ivar branch_cycles: loops left where the predictor expects another pass.
    :ivar memory_cycles: the cache model's misses by their penalties.
    :ivar instructions: executed, by class.
    :ivar missed: lines per cache level, the first level first.
    """

    pipeline_cycles: float
    branch_cycles: float
    memory_cycles: float
    instructions: Mapping[str, int]
    missed: tuple[Missed, ...]
    writebacks: int

    def cycles_of_share(self, threads: int) -> float:
        """Where this is one thread's share of the work, and the other threads' are as large: until all are done."""
        return self.pipeline_cycles + self.branch_cycles + self.memory_cycles * threads

    @property
    def total_instructions(self) -> int:
        return sum(self.instructions.values())


def estimate(execution: Execution, core: Core, throughput: Throughput) -> Estimate:
    """What an execution would cost on a core, which the throughput is of."""
    blocks = list(blocks_of(execution.counts))
    instructions: Counter[str] = Counter()
    for word, count in execution.counts.values():
        instructions[class_of(word)] += count
    return Estimate(
        pipeline_cycles=_pipeline_cycles(blocks, throughput),
        branch_cycles=_branch_cycles(blocks, core),
        memory_cycles=_memory_cycles(execution, core),
        instructions=dict(instructions),
        missed=execution.missed,
        writebacks=execution.writebacks,
    )


def _pipeline_cycles(blocks: list[Block], throughput: Throughput) -> float:
    ordered = sorted(blocks, key=lambda block: -block.instructions)
    total = sum(block.instructions for block in blocks)
    hot, covered = [], 0
    for block in ordered:
        if covered >= HOT_SHARE * total:
            break
        hot.append(block)
        covered += block.instructions
    cycles = throughput.cycles(block.words for block in hot)
    return sum(cycles[block.words] * block.executions for block in hot) + (total - covered)


def _branch_cycles(blocks: list[Block], core: Core) -> float:
    by_address = {block.address: block for block in blocks}
    exits = (number for loop, number in loop_exits(by_address) if loop.executions > COUNTABLE_PASSES * number)
    return core.loop_exit * sum(exits)


def _memory_cycles(execution: Execution, core: Core) -> float:
    cycles = core.writeback * execution.writebacks
    for cache, missed in zip(core.caches, execution.missed, strict=True):
        cycles += cache.streamed * missed.streamed + cache.scattered * missed.scattered + cache.stored * missed.stored
    return cycles
