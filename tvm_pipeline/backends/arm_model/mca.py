"""llvm-mca asked about blocks of assembly, many in one call."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobilenet_tvm.base.errors import SystemFailure
from tvm_pipeline.backends.arm_model.disassemble import llvm_tool

Assembly = Sequence[str]


@dataclass(frozen=True)
class Timing:
    """One instruction of a block: its text, cycles until its result is there, cycles that its unit is taken."""

    text: str
    latency: int
    occupancy: float


def total_cycles(blocks: Sequence[Assembly], cpu: str, iterations: int) -> list[int]:
    """Per block the cycles of so many iterations, simulated. Raises SystemFailure with what llvm-mca said."""
    return [int(region["SummaryView"]["TotalCycles"]) if region else 0 for region in _regions(blocks, cpu, iterations)]


def timings(blocks: Sequence[Assembly], cpu: str) -> list[list[Timing]]:
    """Per block what LLVM's scheduling model says of each instruction that it knows."""
    found = []
    for region in _regions(blocks, cpu, iterations=1):
        told = region["InstructionInfoView"]["InstructionList"] if region else []
        texts = region["Instructions"] if region else []
        found.append([Timing(texts[one["Instruction"]], one["Latency"], one["RThroughput"]) for one in told])
    return found


def _regions(blocks: Sequence[Assembly], cpu: str, iterations: int) -> list[dict[str, Any]]:
    lines: list[str] = []
    for number, block in enumerate(blocks):
        lines += [f"# LLVM-MCA-BEGIN {number}", *block, "# LLVM-MCA-END"]
    command = [
        llvm_tool("llvm-mca"), "-mtriple=aarch64-linux-gnu", f"-mcpu={cpu}", "-mattr=+all",
        f"-iterations={iterations}", "-json", "-skip-unsupported-instructions=any",
    ]  # fmt: skip
    finished = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise SystemFailure("llvm-mca failed", detail=finished.stderr)
    found = {int(region["Name"]): region for region in json.loads(finished.stdout)["CodeRegions"]}
    return [found.get(number, {}) for number in range(len(blocks))]
