"""A package of ours, through TVM's runtime alone: neither the compiler nor ``import tvm`` is needed for that."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
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

    def bind(self, inputs: Sequence[np.ndarray]) -> Callable[[], Sequence[np.ndarray]]:
        import numpy as np
        import tvm_ffi

        tensors, main = [tvm_ffi.from_dlpack(_aligned(array)) for array in inputs], self._main

        def infer() -> Sequence[np.ndarray]:
            output = main(*tensors)
            outputs = [output] if isinstance(output, tvm_ffi.Tensor) else output
            return [np.from_dlpack(tensor) for tensor in outputs]

        return infer


def _aligned(array: np.ndarray) -> np.ndarray:
    """A copy whose address TVM's generated code may assume."""
    import numpy as np

    raw = np.empty(array.nbytes + _ALIGNMENT, dtype=np.uint8)
    begin = -raw.ctypes.data % _ALIGNMENT
    aligned = raw[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    aligned[...] = array
    return aligned


ENGINE = TvmPackage
