"""TVM's CUDA runtime loads on a machine with no driver and no libcudart at all."""

import subprocess
import sys
from pathlib import Path

import tvm

from tvm_pipeline.codegen.cuda.elf import undefined_symbols
from tvm_pipeline.codegen.cuda.load_runtime import CUDART, DRIVER, stub_library

RUNTIME = Path(tvm.__file__).parent / "lib" / "libtvm_runtime_cuda.so"
CREATE = "ffi.Module.create.cuda"
LOAD = f"""
import tvm
from tvm_pipeline.codegen.cuda import load_runtime
load_runtime._loads = lambda name: False
assert tvm.get_global_func("{CREATE}", allow_missing=True) is None
load_runtime.load_cuda_runtime()
assert tvm.get_global_func("{CREATE}", allow_missing=True) is not None
assert not tvm.cuda(0).exist
"""


def test_loads_with_stand_ins_for_everything() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr


def test_the_stand_ins_have_what_the_runtime_lacks(tmp_path: Path) -> None:
    wanted = undefined_symbols(RUNTIME)
    assert {"cuLaunchKernelEx", "cudaGraphLaunch", "malloc"} <= set(wanted)
    driver, cudart = (stub_library(name, RUNTIME, tmp_path).read_bytes() for name in (DRIVER, CUDART))
    assert b"\0cuLaunchKernelEx\0" in driver
    assert b"\0cudaGraphLaunch\0" not in driver
    assert b"\0cudaGraphLaunch\0" in cudart
    assert undefined_symbols(tmp_path / DRIVER) == undefined_symbols(tmp_path / CUDART) == []
