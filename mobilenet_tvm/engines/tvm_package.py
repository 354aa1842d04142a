"""A package of ours, through TVM's runtime alone: neither the compiler nor ``import tvm`` is needed for that."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tvm.engines.engine import Engine
from mobilenet_tvm.package.open import MODULE

if TYPE_CHECKING:
    import numpy as np

_CPU, _DEVICE_0, _POOLED = 1, 0, 2  # DLPack's kDLCPU; the VM's pooled allocator
_ALIGNMENT = 64  # bytes; what TVM's generated code assumes of its inputs


class TvmPackage(Engine):
    """Runs ``main`` of a package's module in the Relax VM, with the runtime library that the package carries."""

    name = "tvm"
    distribution = "apache-tvm"
    install = "pip install mobilenet-tvm"
    _main: Any
    _vm: Any

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        return {"TVM_NUM_THREADS": str(threads)}

    def load(self, model: Path, threads: int, dtype: str) -> None:
        # It imports torch where that is installed: a second and 100 MiB that running a package has no use for.
        sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
        import tvm_ffi

        # Its functions must be registered before a module asks for them.
        ctypes.CDLL(str(model / "lib" / "libtvm_runtime.so"), mode=ctypes.RTLD_GLOBAL)
        self._vm = tvm_ffi.load_module(str(model / MODULE))["vm_load_executable"]()
        self._vm["vm_initialization"](_CPU, _DEVICE_0, _POOLED)
        self._main = self._vm["main"]

    def bind(self, x: np.ndarray) -> Callable[[], np.ndarray]:
        import numpy as np
        import tvm_ffi

        raw = np.empty(x.nbytes + _ALIGNMENT, dtype=np.uint8)
        begin = -raw.ctypes.data % _ALIGNMENT
        aligned = raw[begin : begin + x.nbytes].view(x.dtype).reshape(x.shape)
        aligned[...] = x
        tensor, main = tvm_ffi.from_dlpack(aligned), self._main

        def infer() -> np.ndarray:
            output = main(tensor)
            first = output if isinstance(output, tvm_ffi.Tensor) else output[0]
            return np.from_dlpack(first)

        return infer


ENGINE = TvmPackage
