"""cp.async: bytes arrive when their thread waits for them, and not before."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from gpus.emulated_driver import Gpu, KernelFailure

_COPY = """
__forceinline__ __device__ void copy(void* dst, const void* src) {
  unsigned int to = __cvta_generic_to_shared(dst);
  asm volatile("cp.async.cg.shared.global [%0], [%1], %2;" :: "r"(to), "l"(src), "n"(16));
}
__forceinline__ __device__ void copy_if(void* dst, const void* src, int predicate) {
  unsigned int dst_addr = __cvta_generic_to_shared(dst);
  __asm__ __volatile__(
    "{\\n"
    " .reg .pred p;\\n"
    " setp.eq.u32 p, %3, 1;\\n"
    " @p cp.async.cg.shared.global [%0], [%1], %2;\\n"
    " @!p st.shared.v4.u32 [%0], {%4, %4, %4, %4};\\n"
    "}\\n"
    :: "r"(dst_addr), "l"(src), "n"(16), "r"(predicate), "r"(0));
}
__forceinline__ __device__ void commit() { asm volatile("cp.async.commit_group;" : : : "memory"); }
template <int N> __forceinline__ __device__ void wait() {
  if (N == 0) { asm volatile("cp.async.wait_group 0;" : : : "memory"); }
  else { asm volatile("cp.async.wait_group 1;" : : : "memory"); }
}
"""


def _pipeline(name: str, first_wait: str) -> str:
    return f"""
extern "C" __global__ void {name}(const float* data, float* out) {{
  __shared__ alignas(16) float tile[2][128];
  for (int step = 0; step < 2; ++step) {{
    copy(&tile[step][threadIdx.x * 4], data + step * 128 + threadIdx.x * 4);
    commit();
  }}
  {first_wait}
  __syncthreads();
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = tile[0][127 - threadIdx.x * 4 - i];
  wait<0>();
  __syncthreads();
  for (int i = 0; i < 4; ++i) out[128 + threadIdx.x * 4 + i] = tile[1][127 - threadIdx.x * 4 - i];
}}
"""


SOURCE = (
    _COPY
    + _pipeline("right", "wait<1>();")
    + _pipeline("without_wait", "")
    + """
extern "C" __global__ void without_barrier(const float* data, float* out) {
  __shared__ alignas(16) float tile[128];
  copy(tile + threadIdx.x * 4, data + threadIdx.x * 4);
  commit();
  wait<0>();
  out[threadIdx.x] = tile[127 - threadIdx.x];
}
extern "C" __global__ void predicated(const float* data, float* out) {
  __shared__ alignas(16) float tile[128];
  copy_if(tile + threadIdx.x * 4, data + threadIdx.x * 4, threadIdx.x < 8);
  asm volatile("cp.async.wait_all;" : : : "memory");
  __syncthreads();
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = tile[threadIdx.x * 4 + i];
}
extern "C" __global__ void misaligned(const float* data, float* out) {
  __shared__ alignas(16) float tile[128];
  copy(tile + threadIdx.x * 4, data + 1);
  commit();
  wait<0>();
  out[threadIdx.x] = tile[threadIdx.x];
}
"""
)
VALUES = np.arange(256, dtype=np.float32)


@pytest.fixture(scope="module")
def module(gpu: Gpu) -> ctypes.c_void_p:
    return gpu.module(SOURCE)


def _run(gpu: Gpu, module: ctypes.c_void_p, kernel: str) -> np.ndarray:
    out = gpu.array(np.zeros(256, np.float32))
    gpu.launch(module, kernel, (1,), (32,), gpu.array(VALUES), out)
    return gpu.read(out, VALUES)


def test_a_double_buffer(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert (_run(gpu, module, "right") == VALUES.reshape(2, 128)[:, ::-1].reshape(-1)).all()


def test_a_missing_wait_is_named(gpu: Gpu, module: ctypes.c_void_p) -> None:
    with pytest.raises(
        KernelFailure, match=r"kernel without_wait.* reads offset 508 of shared memory, to which a cp.async"
    ):
        _run(gpu, module, "without_wait")


def test_a_wait_is_no_barrier(gpu: Gpu, module: ctypes.c_void_p) -> None:
    with pytest.raises(KernelFailure, match=r"with no barrier between|to which a cp.async is on its way"):
        _run(gpu, module, "without_barrier")


def test_a_predicated_copy_fills_with_zeros(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert (_run(gpu, module, "predicated")[:128] == np.where(VALUES < 32, VALUES, 0)[:128]).all()


def test_alignment(gpu: Gpu, module: ctypes.c_void_p) -> None:
    with pytest.raises(KernelFailure, match=r"cp.async needs addresses that are multiples"):
        _run(gpu, module, "misaligned")
