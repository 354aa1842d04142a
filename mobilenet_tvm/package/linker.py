"""What links a package's module: ziglang's clang, or a compiler of the system's that the user names."""

from __future__ import annotations

import shutil
import subprocess

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.versions import installed

_TIMEOUT_S = 20


def _ask(compiler: str, question: str) -> str:
    """The first line of its answer; empty if it has none."""
    try:
        done = subprocess.run([compiler, question], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""


def linker(compiler: str | None, arch: str) -> str:
    """The linker's name and version, as the manifest tells them.

    :param compiler: a command such as ``aarch64-linux-gnu-g++``; None for ziglang's clang.
    :raises UserError: it is not installed, is no compiler, or compiles for another architecture.
    """
    if compiler is None:
        return f"ziglang {installed('ziglang')}"
    if shutil.which(compiler) is None:
        package = f"g++-{arch.replace('_', '-')}-linux-gnu"
        raise UserError(f"no compiler {compiler}: install it (Debian: apt install {package}), or leave it to ziglang's")
    machine, version = _ask(compiler, "-dumpmachine"), _ask(compiler, "--version")
    if not machine or not version:
        raise UserError(f"{compiler} is no C++ compiler: it does not say what machine it compiles for (-dumpmachine)")
    if machine.partition("-")[0] != arch:
        raise UserError(f"{compiler} compiles for {machine}, and the target is {arch}")
    return version
