"""Products of matrices by a warp: nvcuda::wmma, mma.sync and ldmatrix."""

from __future__ import annotations

import numpy as np
import pytest
from gpus.emulated_driver import Gpu, KernelFailure

SHAPES = ((16, 16), (8, 32), (32, 8))


def _wmma(m: int, n: int, accumulator: str, a: str, b: str) -> str:
    name = f"product_{m}_{n}_{accumulator}_{a}_{b}"
    return f"""
extern "C" __global__ void {name}(const half* a, const half* b, const {accumulator}* c, {accumulator}* d) {{
  nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, {m}, {n}, 16, half, nvcuda::wmma::{a}_major> fa[2];
  nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, {m}, {n}, 16, half, nvcuda::wmma::{b}_major> fb[2];
  nvcuda::wmma::fragment<nvcuda::wmma::accumulator, {m}, {n}, 16, {accumulator}> sum[1];
  nvcuda::wmma::load_matrix_sync(sum[0], c, {n}, nvcuda::wmma::mem_row_major);
  for (int k = 0; k < 2; ++k) {{
    nvcuda::wmma::load_matrix_sync(fa[k], a + k * {16 if a == "row" else 16 * m}, {32 if a == "row" else m});
    nvcuda::wmma::load_matrix_sync(fb[k], b + k * {16 * n if b == "row" else 16}, {n if b == "row" else 32});
    nvcuda::wmma::mma_sync(sum[0], fa[k], fb[k], sum[0]);
  }}
  for (int i = 0; i < sum[0].num_elements; ++i) sum[0].x[i] *= ({accumulator})2;
  nvcuda::wmma::store_matrix_sync(d, sum[0], {m}, nvcuda::wmma::mem_col_major);
}}
"""


CASES = [
    (m, n, accumulator, a, b)
    for m, n in SHAPES
    for accumulator in ("float", "half")
    for a, b in (("row", "row"), ("col", "col"))
]
SOURCE = "#include <cuda_fp16.h>\n#include <mma.h>\n" + "".join(_wmma(*case) for case in CASES)
SOURCE += """
extern "C" __global__ void part_of_a_warp(const half* a, float* d) {
  nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, 16, half, nvcuda::wmma::row_major> fa;
  nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, 16, half, nvcuda::wmma::row_major> fb;
  nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float> sum;
  nvcuda::wmma::fill_fragment(sum, 0.0f);
  nvcuda::wmma::load_matrix_sync(fa, a, 16);
  nvcuda::wmma::load_matrix_sync(fb, a, 16);
  if (threadIdx.x < 20) nvcuda::wmma::mma_sync(sum, fa, fb, sum);
  nvcuda::wmma::store_matrix_sync(d, sum, 16, nvcuda::wmma::mem_row_major);
}
extern "C" __global__ void by_registers(const half* a, const half* b, float* d, half* d_half) {
  __shared__ alignas(16) half sa[256];
  __shared__ alignas(16) half sb[256];
  for (int i = threadIdx.x; i < 256; i += 32) { sa[i] = a[i]; sb[i] = b[i]; }
  __syncthreads();
  half ra[8], rb[4];
  float sum[4] = {0, 0, 0, 0};
  half narrow[4] = {(half)0, (half)0, (half)0, (half)0};
  {
    unsigned int addr = __cvta_generic_to_shared(sa + (threadIdx.x % 16) * 16 + threadIdx.x / 16 * 8);
    __asm__ __volatile__(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16"
      "{%0, %1, %2, %3}, [%4];\\n"
      : "=r"(((unsigned *)(ra + 0))[0]), "=r"(((unsigned *)(ra + 0))[1]), "=r"(((unsigned *)(ra + 0))[2]),
        "=r"(((unsigned *)(ra + 0))[3])
      : "r"(addr)
    );
  }
  {
    unsigned int addr = __cvta_generic_to_shared(sb + threadIdx.x % 16 * 16);
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
      : "=r"(((unsigned *)rb)[0]), "=r"(((unsigned *)rb)[1]) : "r"(addr));
  }
  {
    __asm__ __volatile__(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\\n"
      :  "=f"(sum[0]), "=f"(sum[1]), "=f"(sum[2]), "=f"(sum[3])
      : "r"(((unsigned *)ra)[0]), "r"(((unsigned *)ra)[1]), "r"(((unsigned *)ra)[2]), "r"(((unsigned *)ra)[3]),
        "r"(((unsigned *)rb)[0]), "r"(((unsigned *)rb)[1]), "f"(sum[0]), "f"(sum[1]), "f"(sum[2]), "f"(sum[3]));
  }
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%8, %9};"
      : "=r"(((unsigned *)narrow)[0]), "=r"(((unsigned *)narrow)[1])
      : "r"(((unsigned *)ra)[0]), "r"(((unsigned *)ra)[1]), "r"(((unsigned *)ra)[2]), "r"(((unsigned *)ra)[3]),
        "r"(((unsigned *)rb)[0]), "r"(((unsigned *)rb)[1]), "r"(((unsigned *)narrow)[0]), "r"(((unsigned *)narrow)[1]));
  for (int i = 0; i < 4; ++i) {
    int at = (threadIdx.x / 4 + i / 2 * 8) * 8 + threadIdx.x % 4 * 2 + i % 2;
    d[at] = sum[i];
    d_half[at] = narrow[i];
  }
}
"""


@pytest.fixture(scope="module")
def module(gpu: Gpu):
    return gpu.module(SOURCE)


def _halves(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape[0]).standard_normal(shape).astype(np.float16)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_wmma(gpu: Gpu, module, case: tuple[int, int, str, str, str]) -> None:
    m, n, accumulator, a_layout, b_layout = case
    kind = np.float32 if accumulator == "float" else np.float16
    a, b, c = _halves(m, 32), _halves(32, n), _halves(m, n).astype(kind)
    d = gpu.array(np.zeros((n, m), kind))
    inputs = [gpu.array(a if a_layout == "row" else a.T), gpu.array(b if b_layout == "row" else b.T), gpu.array(c)]
    gpu.launch(module, "product_" + "_".join(map(str, case)), (1,), (32,), *inputs, d)
    expected = 2 * (a.astype(np.float64) @ b.astype(np.float64) + c)
    got = gpu.read(d, np.zeros((n, m), kind)).T
    assert np.abs(got - expected).max() < (1e-4 if accumulator == "float" else 5e-2)


def test_mma_sync_and_ldmatrix(gpu: Gpu, module) -> None:
    a, b = _halves(16, 16), _halves(16, 16)
    d, narrow = gpu.array(np.zeros((16, 8), np.float32)), gpu.array(np.zeros((16, 8), np.float16))
    gpu.launch(module, "by_registers", (1,), (32,), gpu.array(a), gpu.array(b), d, narrow)
    expected = a.astype(np.float64) @ b[:, :8].astype(np.float64)
    assert np.abs(gpu.read(d, np.zeros((16, 8), np.float32)) - expected).max() < 1e-4
    assert np.abs(gpu.read(narrow, np.zeros((16, 8), np.float16)) - expected).max() < 2e-2


def test_a_whole_warp_is_needed(gpu: Gpu, module) -> None:
    with pytest.raises(KernelFailure, match=r"thread 20 has ended, and thread 0 waits for it in mma_sync"):
        gpu.launch(
            module, "part_of_a_warp", (1,), (32,), gpu.array(_halves(16, 16)), gpu.array(np.zeros(256, np.float32))
        )
