"""The C++ compiler that nvcc asks for its preprocessor: the system's, or ziglang's where there is none."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.zig import zig_program


def host_compiler(folder: Path) -> Sequence[str]:
    """Arguments of nvcc's that name it; ``folder`` lasts as long as nvcc runs."""
    if shutil.which("g++") is not None:
        return ()
    return zig_as_host_compiler(folder)


def zig_as_host_compiler(folder: Path) -> Sequence[str]:
    """ziglang's clang under a name by which nvcc takes it for what it is."""
    script = folder / "clang++"
    script.write_text(f'#!/bin/sh\nexec "{zig_program()}" c++ "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return ("-ccbin", str(script), "-allow-unsupported-compiler")
