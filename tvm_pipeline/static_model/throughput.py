"""Cycles per execution of a basic block, repeated: llvm-mca's simulation in its steady state."""

import json
import subprocess
from collections.abc import Iterable

from mobilenet_tvm.errors import SystemFailure
from tvm_pipeline.static_model.disassemble import disassemble, llvm_tool

WARM_UP, ITERATIONS = 10, 30
"""Cycles are those of the iterations between the two: a pipeline that fills and drains counts in neither."""

Words = tuple[int, ...]


class Throughput:
    """Cycles per block on one CPU; remembers what it has been asked."""

    def __init__(self, mca_cpu: str) -> None:
        self._cpu = mca_cpu
        self._known: dict[Words, float] = {}

    def cycles(self, blocks: Iterable[Words]) -> dict[Words, float]:
        """Per block, given as its machine words, the cycles of one execution. Raises UserError where LLVM is missing,
        SystemFailure with what llvm-mca said."""
        wanted = list(dict.fromkeys(blocks))
        fresh = [words for words in wanted if words not in self._known]
        if fresh:
            self._known.update(zip(fresh, self._simulate(fresh), strict=True))
        return {words: self._known[words] for words in wanted}

    def _simulate(self, blocks: list[Words]) -> list[float]:
        assembly = self._assembly(blocks)
        long, short = (self._total_cycles(assembly, count, len(blocks)) for count in (ITERATIONS, WARM_UP))
        return [(more - less) / (ITERATIONS - WARM_UP) for more, less in zip(long, short, strict=True)]

    @staticmethod
    def _assembly(blocks: list[Words]) -> str:
        lines = iter(disassemble([word for words in blocks for word in words]))
        text = []
        for number, words in enumerate(blocks):
            text.append(f"# LLVM-MCA-BEGIN {number}")
            text += [next(lines) for _ in words]
            text.append("# LLVM-MCA-END")
        return "\n".join(text) + "\n"

    def _total_cycles(self, assembly: str, iterations: int, count: int) -> list[int]:
        command = [
            llvm_tool("llvm-mca"), "-mtriple=aarch64-linux-gnu", f"-mcpu={self._cpu}", "-mattr=+all",
            f"-iterations={iterations}", "-json", "-skip-unsupported-instructions=any",
        ]  # fmt: skip
        finished = subprocess.run(command, input=assembly, capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            raise SystemFailure("llvm-mca failed", detail=finished.stderr)
        found = {
            int(one["Name"]): one["SummaryView"]["TotalCycles"] for one in json.loads(finished.stdout)["CodeRegions"]
        }
        return [int(found.get(number, 0)) for number in range(count)]
