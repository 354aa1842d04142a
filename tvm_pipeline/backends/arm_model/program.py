"""Builds what the static model runs: QEMU's plugin for this machine, and kernels as AArch64 programs.

ziglang's clang makes both, so neither a cross compiler nor an emulated system is needed: a kernel's program is linked
statically, with musl as its C library.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure
from tvm_pipeline.codegen.link import run_zig

SOURCES = Path(__file__).parent / "emulated"
_PROGRAM_TARGET = ("-target", "aarch64-linux-musl")


def build_plugin(folder: Path) -> Path:
    """Compiles ``emulated/trace.c``; zig remembers it, so only the first time takes seconds."""
    output = folder / "trace.so"
    sources = [str(SOURCES / name) for name in ("trace.c", "cache.c")]
    run_zig("cc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", *sources, "-o", str(output))
    return output


def build_driver(folder: Path) -> Path:
    """Compiles ``emulated/driver.c``, the object file that turns a kernel into a program."""
    output = folder / "driver.o"
    include = f"-I{_ffi_headers()}"
    run_zig("cc", *_PROGRAM_TARGET, "-O2", include, "-c", str(SOURCES / "driver.c"), "-o", str(output))
    return output


def link_program(output: str, objects: Sequence[str], driver: str) -> None:
    """Links a kernel's objects and the driver into a program. Raises SystemFailure with what the linker said.

    The first call on a machine takes the time to build musl, half a minute.
    """
    run_zig("cc", *_PROGRAM_TARGET, "-O2", "-static", driver, *objects, "-o", output)


def _ffi_headers() -> Path:
    spec = importlib.util.find_spec("tvm_ffi")
    if spec is None or spec.origin is None:
        raise SystemFailure("the package apache-tvm-ffi is missing: pip install apache-tvm-ffi")
    return Path(spec.origin).parent / "include"
