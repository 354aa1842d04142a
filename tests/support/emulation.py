"""What the static model's tests need of the machine, and assembly as programs and machine words."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.backends.arm_model.disassemble import llvm_tool


def _lacking() -> list[str]:
    found = [] if shutil.which("qemu-aarch64") else ["qemu-user"]
    try:
        llvm_tool("llvm-mca")
    except UserError:
        found.append("llvm-19")
    return found


needs_model = pytest.mark.skipif(bool(_lacking()), reason=f"apt install {' '.join(_lacking())}")
BEGIN, END = "hint #126", "hint #127"


def words_of(lines: Sequence[str]) -> tuple[int, ...]:
    """The machine words of AArch64 assembly, by LLVM's assembler."""
    command = [llvm_tool("llvm-mc"), "-triple=aarch64", "-mattr=+all", "-show-encoding"]
    told = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True).stdout
    encodings = re.findall(r"encoding: \[(.*?)\]", told)
    return tuple(int.from_bytes(bytes(int(byte, 16) for byte in one.split(",")), "little") for one in encodings)


def program(folder: Path, lines: Sequence[str], data_bytes: int = 0) -> Path:
    """A program that consists of these instructions, with ``memory`` as the name of a page-aligned zeroed area."""
    source, output = folder / "program.s", folder / "program"
    ending = ["mov x0, #0", "mov x8, #93", "svc #0"]
    area = [".bss", ".balign 4096", "memory:", f".zero {max(data_bytes, 8)}"]
    source.write_text("\n".join([".globl _start", "_start:", *lines, *ending, *area]) + "\n")
    run_zig("cc", "-target", "aarch64-linux-musl", "-static", "-nostdlib", str(source), "-o", str(output))
    return output


def loop(times: int, body: Sequence[str], name: str = "1") -> list[str]:
    """Instructions executed so often, counted in x9."""
    return [f"mov x9, #{times}", f"{name}:", *body, "subs x9, x9, #1", f"b.ne {name}b"]
