"""Runs an AArch64 program under QEMU with the plugin ``emulated/trace.c`` and reads what it counted."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.backends.arm_model.core import Core

EMULATOR = "qemu-aarch64"


@dataclass(frozen=True)
class Missed:
    """Lines that one level did not hold: loads that a prefetcher follows, other loads, stores."""

    streamed: int
    scattered: int
    stored: int

    def __sub__(self, other: "Missed") -> "Missed":
        return Missed(self.streamed - other.streamed, self.scattered - other.scattered, self.stored - other.stored)


@dataclass(frozen=True)
class Execution:
    """What was executed between the program's two hints.

    :ivar counts: per instruction's address its encoding and how often it was executed.
    :ivar missed: per cache level, the first level first.
    :ivar writebacks: lines written back to memory.
    """

    counts: Mapping[int, tuple[int, int]]
    missed: tuple[Missed, ...]
    writebacks: int

    def __sub__(self, other: "Execution") -> "Execution":
        """What this execution of a program did more than another, shorter one."""
        counts = {}
        for address, (word, count) in self.counts.items():
            before = other.counts.get(address, (word, 0))
            more = count - (before[1] if before[0] == word else 0)
            if more > 0:
                counts[address] = (word, more)
        missed = tuple(mine - theirs for mine, theirs in zip(self.missed, other.missed, strict=True))
        return Execution(counts, missed, self.writebacks - other.writebacks)


def execute(
    command: Sequence[str], core: Core, plugin: Path, timeout: float, environment: Mapping[str, str] | None = None
) -> Execution:
    """Runs ``command``, an AArch64 program with its arguments and, before it, arguments of QEMU's own.

    Addresses are the same in every run (no randomisation), so misses are too.

    :raises UserError: QEMU is missing.
    :raises SystemFailure: the program fails, or takes longer than ``timeout`` seconds.
    """
    check_emulator()
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-trace-") as folder:
        report = Path(folder) / "report"
        caches = "".join(f",cache={cache.kibibytes * 1024}:{cache.ways}" for cache in core.caches)
        emulator = ["setarch", "-R", EMULATOR, "-cpu", core.name, "-plugin", f"{plugin},out={report}{caches}"]
        try:
            finished = subprocess.run(
                [*emulator, *command], capture_output=True, text=True, timeout=timeout, check=False, env=environment
            )
        except subprocess.TimeoutExpired as error:
            raise SystemFailure(f"no answer from the emulated program within {timeout:.0f} s") from error
        if finished.returncode != 0 or not report.exists():
            lines = (finished.stderr or finished.stdout).strip().splitlines() or [f"exit code {finished.returncode}"]
            raise SystemFailure(f"the emulated program failed: {lines[-1][:300]}", detail="\n".join(lines))
        return parse_report(report.read_text(encoding="ascii"))


def check_emulator() -> None:
    """:raises UserError: there is no QEMU."""
    if shutil.which(EMULATOR) is None:
        raise UserError(f"the static model needs {EMULATOR}: apt install qemu-user")


def parse_report(text: str) -> Execution:
    """The plugin's report. A piece of code that was translated more than once, or in part, adds up."""
    counts: dict[int, tuple[int, int]] = {}
    missed = []
    writebacks = 0
    for line in text.splitlines():
        kind, *fields = line.split(" ")
        if kind == "level":
            missed.append(Missed(*map(int, fields)))
        elif kind == "writebacks":
            writebacks = int(fields[0])
        else:
            address, executions = int(fields[0], 16), int(fields[1])
            for offset, digits in enumerate(fields[2:]):
                word = int(digits, 16)
                known = counts.get(address + 4 * offset, (word, 0))
                counts[address + 4 * offset] = (word, known[1] + executions)
    return Execution(counts, tuple(missed), writebacks)
