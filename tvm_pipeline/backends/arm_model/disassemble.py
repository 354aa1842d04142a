"""Machine words as assembly that llvm-mca reads."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

from mobilenet_tvm.base.errors import SystemFailure, UserError

LLVM_VERSION = 19
"""One version, so that a modelled figure is the same everywhere. Debian bookworm has it; its default, LLVM 14,
describes the Neoverse N1 by the Cortex-A57's model."""

UNKNOWN = "nop"
"""Stands for a word that LLVM does not know."""


@cache
def llvm_tool(name: str) -> str:
    """The path of an LLVM program.

    :raises UserError: it is not installed.
    """
    program = shutil.which(f"{name}-{LLVM_VERSION}")
    if program is None:
        raise UserError(f"the static model needs {name}-{LLVM_VERSION}: apt install llvm-{LLVM_VERSION}")
    return program


def disassemble(words: Sequence[int]) -> list[str]:
    """One line of assembly per word."""
    text = "\n".join(" ".join(f"{byte:#04x}" for byte in word.to_bytes(4, "little")) for word in words)
    command = [llvm_tool("llvm-mc"), "--disassemble", "-triple=aarch64", "-mattr=+all"]
    finished = subprocess.run(command, input=text + "\n", capture_output=True, text=True, check=False)
    unknown = {int(number) - 1 for number in re.findall(r"<stdin>:(\d+):\d+: warning: invalid", finished.stderr)}
    lines = [line.split("//")[0].strip() for line in finished.stdout.splitlines() if line.startswith("\t")]
    lines = [line for line in lines if not line.startswith(".")]
    if len(lines) + len(unknown) != len(words):
        raise SystemFailure("llvm-mc did not disassemble every word", detail=finished.stderr)
    known = iter(lines)
    return [UNKNOWN if index in unknown else next(known) for index in range(len(words))]
