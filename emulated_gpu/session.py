"""The emulated GPU in a session's own process: TVM's VM runs on ``tvm.cuda(0)`` what TVM's code generator wrote.

``load()`` before ``import tvm``; then ``tvm_ffi.register_global_func("tvm_callback_cuda_compile", compile_callback(80),
override=True)``, and build and run as with a GPU.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

from emulated_gpu.build import CUDART, DRIVER, compile_kernels, image, library_folder
from emulated_gpu.counters import COUNTERS_VARIABLE
from emulated_gpu.device_file import FILE_VARIABLE


def load(counters: Path | None = None, device: Path | None = None) -> None:
    """Makes this process's ``libcuda.so.1`` and ``libcudart.so.13`` the emulated ones.

    :param counters: a file to which each launch appends a line of JSON.
    :param device: a ``device_file``; by default an A100's figures.
    """
    for variable, path in ((COUNTERS_VARIABLE, counters), (FILE_VARIABLE, device)):
        if path is not None:
            os.environ[variable] = str(path)
    folder = library_folder()
    for name in (CUDART, DRIVER):
        ctypes.CDLL(str(folder / name))


def compile_callback(compute_capability: int, keep: Path | None = None) -> Callable[[str], bytes]:
    """What TVM's ``tvm_callback_cuda_compile`` can be: CUDA source -> an image for the emulated driver.

    :param keep: where the source is written too.
    """

    def compiled(source: str) -> bytes:
        if keep is not None:
            keep.write_text(source)
        return image(compile_kernels(source, compute_capability))

    return compiled
