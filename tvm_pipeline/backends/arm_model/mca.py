"""llvm-mca asked about blocks of assembly, many in one call."""

import json
import subprocess
from collections.abc import Mapping, Sequence
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
    """Per block the cycles of so many iterations, simulated.

    :raises SystemFailure: with what llvm-mca said.
    """
    return [int(region["SummaryView"]["TotalCycles"]) if region else 0 for region in _regions(blocks, cpu, iterations)]


def timings(blocks: Sequence[Assembly], cpu: str) -> list[list[Timing]]:
    """Per block what LLVM's scheduling model says of each instruction that it knows."""
    return [_timings_in(region) if region else [] for region in _regions(blocks, cpu, iterations=1)]


def _timings_in(region: Mapping[str, Any]) -> list[Timing]:
    texts, known = region["Instructions"], region["InstructionInfoView"]["InstructionList"]
    return [Timing(texts[entry["Instruction"]], entry["Latency"], entry["RThroughput"]) for entry in known]


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
    regions = {int(region["Name"]): region for region in json.loads(finished.stdout)["CodeRegions"]}
    return [regions.get(number, {}) for number in range(len(blocks))]
