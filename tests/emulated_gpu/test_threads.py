"""Threads that wait for each other: barriers, shuffles, votes, atomic operations, and what is wrong with them."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from gpus.emulated_driver import Gpu, KernelFailure

SOURCE = """
extern "C" __global__ void __launch_bounds__(64) coordinates(int* out) {
  int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * 12 + thread] = block * 100 + thread;
}
extern "C" __global__ void reverse(float* data) {
  __shared__ float tile[96];
  tile[threadIdx.x] = data[blockIdx.x * 96 + threadIdx.x];
  __syncthreads();
  data[blockIdx.x * 96 + threadIdx.x] = tile[95 - threadIdx.x];
}
extern "C" __global__ void reverse_unguarded(float* data) {
  __shared__ float tile[96];
  tile[threadIdx.x] = data[threadIdx.x];
  data[threadIdx.x] = tile[95 - threadIdx.x];
}
extern "C" __global__ void overwrite_unguarded(float* data) {
  __shared__ float tile[32];
  tile[threadIdx.x] = data[threadIdx.x];
  __syncthreads();
  float sum = 0;
  for (int step = 0; step < 2; ++step) {
    sum += tile[31 - threadIdx.x];
    tile[threadIdx.x] = sum;
    __syncthreads();
  }
  data[threadIdx.x] = sum;
}
extern "C" __global__ void neighbours_in_warp(float* data) {
  __shared__ float tile[64];
  tile[threadIdx.x] = data[threadIdx.x];
  __syncwarp();
  data[threadIdx.x] = tile[threadIdx.x ^ 1];
}
extern "C" __global__ void divergent(float* data) {
  if (threadIdx.x < 16) __syncthreads();
  data[threadIdx.x] = 0;
}
extern "C" __global__ void two_barriers(float* data) {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  data[threadIdx.x] = 0;
}
__device__ float warp_sum(float value) {
  unsigned mask = __activemask();
  for (int by = 16; by > 0; by /= 2) value += __shfl_down_sync(mask, value, by, 32);
  return __shfl_sync(mask, value, 0, 32);
}
extern "C" __global__ void sums(const float* data, float* out) {
  out[threadIdx.x] = warp_sum(data[threadIdx.x]);
}
extern "C" __global__ void shuffles(int* out) {
  int lane = threadIdx.x;
  out[lane] = __shfl_up_sync(0xffffffff, lane, 3, 16);
  out[32 + lane] = __shfl_xor_sync(0xffffffff, lane, 5);
  out[64 + lane] = __shfl_sync(0xffffffff, lane, 9, 8);
  out[96 + lane] = __ballot_sync(0xffffffff, lane % 3 == 0);
  out[128 + lane] = __any_sync(0xffffffff, lane == 31) + 2 * __all_sync(0xffffffff, lane < 31);
}
extern "C" __global__ void active(unsigned* out) {
  if (threadIdx.x % 2 == 0) out[threadIdx.x] = __activemask();
}
extern "C" __global__ void shuffle_with_absent(int* out) {
  if (threadIdx.x < 7) out[threadIdx.x] = __shfl_sync(0xffffffff, (int)threadIdx.x, 0);
}
extern "C" __global__ void histogram(const int* data, int* counts, float* total) {
  __shared__ int mine[4];
  if (threadIdx.x < 4) mine[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&mine[data[blockIdx.x * blockDim.x + threadIdx.x]], 1);
  __syncthreads();
  if (threadIdx.x < 4) atomicAdd(&counts[threadIdx.x], mine[threadIdx.x]);
  atomicAdd(total, 0.5f);
}
"""


@pytest.fixture(scope="module")
def module(gpu: Gpu) -> ctypes.c_void_p:
    return gpu.module(SOURCE)


def test_coordinates(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros(24 * 12, np.int32))
    gpu.launch(module, "coordinates", (2, 3, 4), (3, 2, 2), out)
    expected = (np.arange(24)[:, None] * 100 + np.arange(12)).reshape(-1).astype(np.int32)
    assert (gpu.read(out, expected) == expected).all()


def test_barrier_lets_all_write_before_any_reads(gpu: Gpu, module: ctypes.c_void_p) -> None:
    values = np.arange(192, dtype=np.float32)
    data = gpu.array(values)
    gpu.launch(module, "reverse", (2,), (96,), data)
    assert (gpu.read(data, values) == values.reshape(2, 96)[:, ::-1].reshape(-1)).all()


@pytest.mark.parametrize(
    ("kernel", "threads", "said"),
    [
        ("reverse_unguarded", 96, "thread (48, 0, 0): writes offset 192 of shared memory, which thread 47 reads"),
        (
            "overwrite_unguarded",
            32,
            "thread (16, 0, 0): reads offset 60 of shared memory, which thread 15 writes with no barrier",
        ),
        ("divergent", 32, "__syncthreads() is not reached by all threads: thread 0 waits at it (kernels.cu, line 37)"),
        ("two_barriers", 32, "thread 16 waits at another (kernels.cu, line 44)"),
        ("shuffle_with_absent", 32, "thread 7 has ended, and thread 0 waits for it in a shuffle (kernels.cu, line 68)"),
        ("coordinates", 128, "threads in a block, which its __launch_bounds__ do not expect: 128, and at most 64"),
    ],
)
def test_what_threads_do_wrong_is_named(
    gpu: Gpu, module: ctypes.c_void_p, kernel: str, threads: int, said: str
) -> None:
    data = gpu.array(np.zeros(128, np.float32))
    with pytest.raises(KernelFailure) as failure:
        gpu.launch(module, kernel, (1,), (threads,), data)
    assert f"kernel {kernel}" in str(failure.value)
    assert said in str(failure.value)


def test_lanes_of_a_warp_wait_with_syncwarp(gpu: Gpu, module: ctypes.c_void_p) -> None:
    values = np.arange(64, dtype=np.float32)
    data = gpu.array(values)
    gpu.launch(module, "neighbours_in_warp", (1,), (64,), data)
    assert (gpu.read(data, values) == values[np.arange(64) ^ 1]).all()


def test_sum_of_each_warp(gpu: Gpu, module: ctypes.c_void_p) -> None:
    values = np.arange(64, dtype=np.float32)
    out = gpu.array(np.zeros(64, np.float32))
    gpu.launch(module, "sums", (1,), (64,), gpu.array(values), out)
    assert (gpu.read(out, values) == np.repeat(values.reshape(2, 32).sum(1), 32)).all()


def test_shuffles_and_votes(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros((5, 32), np.int32))
    gpu.launch(module, "shuffles", (1,), (32,), out)
    up, xor, index, ballot, anyone = gpu.read(out, np.zeros((5, 32), np.int32))
    lanes = np.arange(32)
    assert (up == np.where(lanes % 16 >= 3, lanes - 3, lanes)).all()
    assert (xor == lanes ^ 5).all()
    assert (index == lanes // 8 * 8 + 1).all()
    assert (ballot == sum(1 << lane for lane in range(0, 31, 3))).all()
    assert (anyone == 1).all()


def test_active_mask_holds_the_lanes_that_are_there(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros(32, np.uint32))
    gpu.launch(module, "active", (1,), (32,), out)
    assert (gpu.read(out, np.zeros(32, np.uint32))[::2] == 0x55555555).all()


def test_atomic_operations(gpu: Gpu, module: ctypes.c_void_p) -> None:
    values = np.random.default_rng(0).integers(0, 4, 256).astype(np.int32)
    counts, total = gpu.array(np.zeros(4, np.int32)), gpu.array(np.zeros(1, np.float32))
    gpu.launch(module, "histogram", (4,), (64,), gpu.array(values), counts, total)
    assert (gpu.read(counts, np.zeros(4, np.int32)) == np.bincount(values, minlength=4)).all()
    assert gpu.read(total, np.zeros(1, np.float32))[0] == 128
