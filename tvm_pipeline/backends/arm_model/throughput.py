"""Cycles per execution of a basic block, repeated: a simulation in its steady state."""

from collections.abc import Iterable

from tvm_pipeline.backends.arm_model.core import Core
from tvm_pipeline.backends.arm_model.disassemble import disassemble
from tvm_pipeline.backends.arm_model.in_order import in_order_cycles
from tvm_pipeline.backends.arm_model.mca import timings, total_cycles

WARM_UP, ITERATIONS = 10, 30
"""Cycles are those of the iterations between the two: a pipeline that fills and drains counts in neither."""

Words = tuple[int, ...]


class Throughput:
    """Cycles per block on one core; remembers what it has been asked."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[Words, float] = {}

    def cycles(self, blocks: Iterable[Words]) -> dict[Words, float]:
        """Per block, given as its machine words, the cycles of one execution.

        :raises UserError: LLVM is missing.
        :raises SystemFailure: with what llvm-mca said.
        """
        wanted = list(dict.fromkeys(blocks))
        fresh = [words for words in wanted if words not in self._known]
        if fresh:
            self._known.update(zip(fresh, self._simulate(fresh), strict=True))
        return {words: self._known[words] for words in wanted}

    def _simulate(self, blocks: list[Words]) -> list[float]:
        lines = iter(disassemble([word for words in blocks for word in words]))
        assembly = [[next(lines) for _ in words] for words in blocks]
        if self._core.is_in_order:
            return [in_order_cycles(block, WARM_UP, ITERATIONS) for block in timings(assembly, self._core.mca_cpu)]
        long, short = (total_cycles(assembly, self._core.mca_cpu, count) for count in (ITERATIONS, WARM_UP))
        return [(more - less) / (ITERATIONS - WARM_UP) for more, less in zip(long, short, strict=True)]
