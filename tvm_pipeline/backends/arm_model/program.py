"""Builds what the static model runs: QEMU's plugin for this machine, and kernels as AArch64 programs.

ziglang's clang makes both, so neither a cross compiler nor an emulated system is needed: a kernel's program is linked
statically, with musl as its C library.
"""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.base.paths import package_folder

SOURCES = Path(__file__).parent / "emulated"
_PROGRAM_TARGET = ("-target", "aarch64-linux-musl")


def build_plugin(folder: Path) -> Path:
    """Compiles ``emulated/trace.c``; zig remembers it, so only the first time takes seconds."""
    output = folder / "trace.so"
    sources = [str(SOURCES / name) for name in ("trace.c", "cache.c")]
    run_zig("cc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", *sources, "-o", str(output))
    return output


def build_driver(output: Path) -> None:
    """Compiles ``emulated/driver.c``, the object file that turns a kernel into a program."""
    include = f"-I{package_folder('tvm_ffi') / 'include'}"
    run_zig("cc", *_PROGRAM_TARGET, "-O2", include, "-c", str(SOURCES / "driver.c"), "-o", str(output))


def link_program(output: str, objects: Sequence[str], driver: str) -> None:
    """Links a kernel's objects and the driver into a program.

    The first call on a machine takes the time to build musl, half a minute.

    :raises SystemFailure: with what the linker said.
    """
    run_zig("cc", *_PROGRAM_TARGET, "-O2", "-static", driver, *objects, "-o", output)
