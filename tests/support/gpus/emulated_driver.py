"""The emulated GPU's driver, called as TVM's runtime calls it, with small kernels of the tests' own."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from emulated_gpu.build import CUDART, DRIVER, compile_kernels, image, library_folder
from emulated_gpu.counters import read_counters
from emulated_gpu.session import load

CAPABILITY = 80


class _LaunchConfig(ctypes.Structure):
    _fields_ = (
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared_bytes", ctypes.c_uint),
        ("stream", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("attribute_count", ctypes.c_uint),
    )


class KernelFailure(Exception):
    """What the driver says of a launch that failed."""


class Gpu:
    """One process has one: what its environment says counts once."""

    def __init__(self, counters: Path) -> None:
        self._counters = counters
        load(counters=counters)
        self.driver = ctypes.CDLL(str(library_folder() / DRIVER))
        self.runtime = ctypes.CDLL(str(library_folder() / CUDART))

    def module(self, source: str) -> ctypes.c_void_p:
        module = ctypes.c_void_p()
        self._driver_call("cuModuleLoadData", ctypes.byref(module), image(compile_kernels(source, CAPABILITY)))
        return module

    def array(self, values: np.ndarray) -> ctypes.c_void_p:
        """A copy in device memory, exactly as large."""
        pointer = ctypes.c_void_p()
        host = np.ascontiguousarray(values)
        self.call("cudaMalloc", ctypes.byref(pointer), ctypes.c_size_t(host.nbytes))
        self.call("cudaMemcpyAsync", pointer, ctypes.c_void_p(host.ctypes.data), ctypes.c_size_t(host.nbytes), 1, None)
        return pointer

    def read(self, pointer: ctypes.c_void_p, like: np.ndarray) -> np.ndarray:
        host = np.empty_like(like)
        self.call("cudaMemcpyAsync", ctypes.c_void_p(host.ctypes.data), pointer, ctypes.c_size_t(host.nbytes), 2, None)
        return host

    def launch(
        self,
        module: ctypes.c_void_p,
        kernel: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        *arguments: Any,
        shared_bytes: int = 0,
        stream: ctypes.c_void_p | None = None,
    ) -> None:
        """:raises KernelFailure: with the words that the driver has for it."""
        function = ctypes.c_void_p()
        self._driver_call("cuModuleGetFunction", ctypes.byref(function), module, kernel.encode())
        if shared_bytes > 48 * 1024:
            self._driver_call("cuFuncSetAttribute", function, 8, shared_bytes)
        values = [value if isinstance(value, ctypes._SimpleCData) else ctypes.c_int(value) for value in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        shapes = [(ctypes.c_uint * 3)(*(*shape, 1, 1)[:3]) for shape in (grid, block)]
        config = _LaunchConfig(*shapes, shared_bytes, stream, None, 0)
        self._driver_call("cuLaunchKernelEx", ctypes.byref(config), function, pointers, None)

    def call(self, function: str, *arguments: Any) -> None:
        error = getattr(self.runtime, function)(*arguments)
        if error != 0:
            self.runtime.cudaGetErrorString.restype = ctypes.c_char_p
            self.runtime.cudaGetLastError()
            raise KernelFailure(self.runtime.cudaGetErrorString(error).decode())

    def _driver_call(self, function: str, *arguments: Any) -> None:
        error = getattr(self.driver, function)(*arguments)
        if error != 0:
            text = ctypes.c_char_p()
            self.driver.cuGetErrorName(error, ctypes.byref(text))
            raise KernelFailure((text.value or b"").decode())

    def counters(self) -> list[dict[str, Any]]:
        """What each launch since the last call did."""
        launches = read_counters(self._counters)
        self._counters.write_text("")
        return launches
