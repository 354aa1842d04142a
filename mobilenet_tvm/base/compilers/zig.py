"""zig out of the PyPI package ziglang: the one C and C++ compiler, and linker, that every installation has."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import package_folder

_TIMEOUT_S = 900  # the first C++ build for a libc takes minutes
_ERROR = re.compile(r"^(?:\S*?([^/\s:]+):(\d+):\d+: )?(?:\S+: )?(?:fatal )?error: (.*)$", re.MULTILINE)


@cache
def zig_program() -> Path:
    """The program itself: ``python -m ziglang`` costs an interpreter's start."""
    return package_folder("ziglang") / "zig"


def run_zig(*arguments: str | Path, purpose: str = "zig") -> None:
    """Run ``zig cc``, ``c++``, ``ld.lld``, ...

    :param purpose: what an error begins with, as in ``linking the program``.
    :raises SystemFailure: it fails; the message has its first error, ``detail`` all that it said.
    """
    command = [str(zig_program()), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise SystemFailure(f"{purpose} did not end within {_TIMEOUT_S} s") from error
    if done.returncode != 0:
        output = done.stderr or done.stdout
        raise SystemFailure(f"{purpose} failed: {first_error(output)}", output)


def first_error(output: str) -> str:
    """A compiler's or linker's first error, after the file's name and line where it has them."""
    error = _ERROR.search(output)
    if error is None:
        return (output.strip().splitlines() or ["no output"])[0]
    file, line, message = error.groups()
    message = re.sub(r"^static assertion failed.*?: ", "", message)
    return f"{file}, line {line}: {message}" if file else message
