"""Loads TVM's CUDA runtime into this process, with the machine's driver or without any.

Where the machine has no libcuda.so.1 or libcudart.so.13, stand-ins are made of the names that the runtime itself lacks,
so that another version of it gets some that fit. Building modules needs no more; calls that would reach a GPU fail.
"""

import ctypes
import platform
import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import tvm
from tvm.base import _LOADED_LIBS
from tvm_ffi.libinfo import load_lib_ctypes

from mobilenet_tvm.base.compilers.nvcc import wheel_folders
from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.base.errors import SystemFailure
from tvm_pipeline.codegen.cuda.elf import undefined_symbols

_LIBRARY = "tvm_runtime_cuda"
_CREATE_MODULE = "ffi.Module.create.cuda"
DRIVER = "libcuda.so.1"
CUDART = "libcudart.so.13"
_NAMES = {DRIVER: re.compile(r"cu[A-Z]\w*"), CUDART: re.compile(r"cuda[A-Z]\w*")}
_STUB_LIBRARY = 34
"""What the driver's own stub answers: CUDA_ERROR_STUB_LIBRARY, cudaErrorStubLibrary."""


@cache
def load_cuda_runtime() -> None:
    """Makes TVM build CUDA modules as binaries. Without its CUDA runtime it would silently pack their source.

    ``import tvm`` loads the runtime by itself only where a driver and libcudart are at hand.

    :raises SystemFailure: the runtime is missing or does not load.
    """
    if tvm.get_global_func(_CREATE_MODULE, allow_missing=True) is not None:
        return
    runtime = Path(tvm.__file__).parent / "lib" / f"lib{_LIBRARY}.so"
    if not runtime.is_file():
        raise SystemFailure(f"{runtime} is missing: install apache-tvm's wheel, this build knows no CUDA")
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-cuda-") as folder:
        for name in (CUDART, DRIVER):
            if not _loads(name):
                ctypes.CDLL(str(stub_library(name, runtime, Path(folder))), mode=ctypes.RTLD_LOCAL)
    _LOADED_LIBS[_LIBRARY] = load_lib_ctypes("tvm", _LIBRARY, "RTLD_LOCAL", extra_lib_paths=[runtime.parent])
    if tvm.get_global_func(_CREATE_MODULE, allow_missing=True) is None:
        raise SystemFailure(f"{runtime} does not offer {_CREATE_MODULE}: apache-tvm's version does not fit")


def _loads(name: str) -> bool:
    """Whether the machine's own library of that name, or the one of NVIDIA's wheel, loads; it then is loaded."""
    for candidate in (name, *(str(folder / "lib" / name) for folder in wheel_folders())):
        try:
            ctypes.CDLL(candidate, mode=ctypes.RTLD_LOCAL)
        except OSError:
            continue
        return True
    return False


def stub_library(name: str, runtime: Path, folder: Path) -> Path:
    """Makes the stand-in for ``DRIVER`` or ``CUDART`` that ``runtime`` (libtvm_runtime_cuda.so) can be loaded with.

    It takes a twentieth of a second.

    :raises SystemFailure: it cannot be made.
    """
    symbols = [symbol for symbol in undefined_symbols(runtime) if _NAMES[name].fullmatch(symbol)]
    _build(name, symbols, folder)
    return folder / name


def _build(name: str, symbols: Sequence[str], folder: Path) -> None:
    source, stub, versions = (folder / f"{name}.{suffix}" for suffix in ("c", "o", "versions"))
    source.write_text("".join(f"int {symbol}(void) {{ return {_STUB_LIBRARY}; }}\n" for symbol in symbols))
    # The runtime asks for libcudart's symbols by the version that NVIDIA gives them, which is the library's name.
    versions.write_text(f"{name} {{ global: cu*; local: *; }};\n")
    zig_target = f"{platform.machine()}-linux-gnu"
    run_zig("cc", "-target", zig_target, "-O1", "-fPIC", "-c", str(source), "-o", str(stub))
    script = [f"--version-script={versions}"] if name == CUDART else []
    run_zig("ld.lld", "-shared", "-soname", name, *script, "-o", str(folder / name), str(stub))
