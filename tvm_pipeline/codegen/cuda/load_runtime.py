"""Loads TVM's CUDA runtime into this process, with the machine's driver or without any."""

import ctypes
import tempfile
from functools import cache
from pathlib import Path

import tvm
from tvm.base import _LOADED_LIBS
from tvm_ffi.libinfo import load_lib_ctypes

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.nvcc import wheel_folders
from tvm_pipeline.codegen.cuda.stub_libraries import CUDART, DRIVER, stub_library

_LIBRARY = "tvm_runtime_cuda"
_CREATE_MODULE = "ffi.Module.create.cuda"


@cache
def load_cuda_runtime() -> None:
    """Makes TVM build CUDA modules as binaries. Without its CUDA runtime it would silently pack their source.

    ``import tvm`` loads the runtime by itself only where a driver and libcudart are at hand.
    Raises SystemFailure where the runtime is missing or does not load.
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
