"""nvcc through the front end that TVM's callback uses: what it makes, what it says, what it refuses."""

from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.codegen.cuda import fatbin
from tvm_pipeline.codegen.cuda.fatbin import KernelResources, compile_fatbin, parse_ptxas

SOURCE = """
extern "C" __global__ void __launch_bounds__(64) plus(float* x) {
  __shared__ float row[64];
  row[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = row[63 - threadIdx.x] + 1.0f;
}
"""
REPORT = """
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'second' for 'sm_80'
ptxas info    : Function properties for second
    16 bytes stack frame, 24 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 4096 bytes smem, 380 bytes cmem[0]
ptxas info    : Compile time = 1.000 ms
ptxas info    : Compiling entry function 'first' for 'sm_80'
ptxas info    : Function properties for first
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 12 registers, 360 bytes cmem[0]
"""


def test_ptxas_figures() -> None:
    assert parse_ptxas(REPORT) == [KernelResources("first", 12, 0, 0), KernelResources("second", 255, 4096, 32)]


def test_machine_code_and_ptx() -> None:
    made = compile_fatbin(SOURCE, "sm_80")
    assert (made.arch, made.ptx, made.source) == ("sm_80", "compute_80", SOURCE)
    (kernel,) = made.kernels
    assert (kernel.name, kernel.shared_bytes, kernel.spill_bytes) == ("plus", 256, 0)
    assert 0 < kernel.registers < 32
    assert made.compiler.startswith("nvcc 1")


def test_ziglangs_clang_serves_where_there_is_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    made = compile_fatbin(SOURCE, "sm_80")
    monkeypatch.setattr(fatbin, "host_compiler", fatbin.zig_as_host_compiler)
    assert compile_fatbin(SOURCE, "sm_80").code == made.code, "the same from either, and from every run"


def test_the_systems_compiler_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fatbin.shutil, "which", lambda name: None)
    assert fatbin.host_compiler(tmp_path)[0] == "-ccbin"
    monkeypatch.setattr(fatbin.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert fatbin.host_compiler(tmp_path) == ()


def test_an_architecture_that_it_does_not_know() -> None:
    with pytest.raises(UserError, match=r"nvcc .* does not know sm_35: another version is needed"):
        compile_fatbin(SOURCE, "sm_35")


def test_source_that_is_wrong() -> None:
    with pytest.raises(SystemFailure, match=r"nvcc .* failed: .*no_such"):
        compile_fatbin(SOURCE.replace("row[threadIdx.x]", "no_such"), "sm_80")
