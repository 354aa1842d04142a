"""Device memory and shared memory: what is not a kernel's to touch is named."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from gpus.emulated_driver import Gpu, KernelFailure

SOURCE = """
extern "C" __global__ void shifted(const float* __restrict__ data, float* __restrict__ out, int by) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = data[i + by];
}
extern "C" __global__ void store(float* out, int at) { out[at] = 1; }
extern "C" __global__ void vectors(const float* data, float* out, int by) {
  *(float4*)(out + threadIdx.x * 4) = *(float4*)(data + threadIdx.x * 4 + by);
}
extern "C" __global__ void wild(float* out) { out[0] = *(float*)64; }
extern "C" __global__ void past_shared(float* out, int at) {
  __shared__ float tile[32];
  tile[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = tile[(threadIdx.x + at) % 40];
}
extern "C" __global__ void leftovers(float* out) {
  __shared__ float tile[32];
  out[blockIdx.x] = tile[0];
  __syncthreads();
  tile[0] = 7;
}
extern "C" __global__ void dynamic_shared(float* out, int count) {
  extern __shared__ __align__(16) unsigned char buffer[];
  float* tile = (float*)buffer;
  for (int i = threadIdx.x; i < count; i += blockDim.x) tile[i] = i;
  __syncthreads();
  out[threadIdx.x] = tile[count - 1 - threadIdx.x];
}
__constant__ float table[3] = {1, 2, 4};
extern "C" __global__ void constants(float* out) { out[threadIdx.x] = table[threadIdx.x % 3]; }
"""


@pytest.fixture(scope="module")
def module(gpu: Gpu) -> ctypes.c_void_p:
    return gpu.module(SOURCE)


def _failure(gpu: Gpu, *arguments: object, **more: int) -> str:
    with pytest.raises(KernelFailure) as failure:
        gpu.launch(*arguments, **more)
    return str(failure.value)


def test_an_index_off_by_one_is_named(gpu: Gpu, module: ctypes.c_void_p) -> None:
    data, out = gpu.array(np.zeros(64, np.float32)), gpu.array(np.zeros(64, np.float32))
    gpu.launch(module, "shifted", (2,), (32,), data, out, 0)
    assert _failure(gpu, module, "shifted", (2,), (32,), data, out, 1) == (
        "emulated GPU: kernel shifted, block (1, 0, 0), thread (31, 0, 0): reads 4 bytes at offset 256 of argument "
        "0 'data', which has 256 bytes"
    )
    assert "reads 4 bytes 4 bytes before argument 0 'data' of 256 bytes" in _failure(
        gpu, module, "shifted", (2,), (32,), data, out, -1
    )


def test_memory_of_others_and_freed_memory_is_out_of_bounds(gpu: Gpu, module: ctypes.c_void_p) -> None:
    mine, other = gpu.array(np.zeros(16, np.float32)), gpu.array(np.zeros(16, np.float32))
    assert mine.value is not None and other.value is not None
    said = _failure(gpu, module, "store", (1,), (1,), mine, (other.value - mine.value) // 4)
    assert "writes 4 bytes at offset" in said and "of argument 0 'out', which has 64 bytes" in said
    gpu.call("cudaFree", other)
    assert "no argument points to any" in _failure(gpu, module, "store", (1,), (1,), other, 0)


def test_vectors_need_their_alignment(gpu: Gpu, module: ctypes.c_void_p) -> None:
    values = np.arange(36, dtype=np.float32)
    data, out = gpu.array(values), gpu.array(np.zeros(32, np.float32))
    gpu.launch(module, "vectors", (1,), (8,), data, out, 4)
    assert (gpu.read(out, values[:32]) == values[4:]).all()
    assert "reads 16 bytes at an address that is no multiple of 16" in _failure(
        gpu, module, "vectors", (1,), (8,), data, out, 1
    )


def test_an_address_that_is_nowhere(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert "nowhere on the device" in _failure(gpu, module, "wild", (1,), (1,), gpu.array(np.zeros(1, np.float32)))


def test_shared_memory_ends(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros(32, np.float32))
    gpu.launch(module, "past_shared", (1,), (32,), out, 0)
    assert "thread (31, 0, 0): reads 4 bytes at offset 128 of shared memory, which has 128 bytes" in _failure(
        gpu, module, "past_shared", (1,), (32,), out, 1
    )


def test_a_block_finds_no_leftovers_of_another(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros(4, np.float32))
    gpu.launch(module, "leftovers", (4,), (1,), out)
    assert np.isnan(gpu.read(out, np.zeros(4, np.float32))).all()


def test_dynamic_shared_memory(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros(32, np.float32))
    gpu.launch(module, "dynamic_shared", (1,), (32,), out, 16384, shared_bytes=65536)
    assert (gpu.read(out, np.zeros(32, np.float32)) == 16383 - np.arange(32)).all()
    assert "at offset 4096 of shared memory" in _failure(
        gpu, module, "dynamic_shared", (1,), (32,), out, 2048, shared_bytes=4096
    )
    assert "can have" in _failure(gpu, module, "dynamic_shared", (1,), (32,), out, 1, shared_bytes=1 << 20)


def test_constants_are_the_kernels_own(gpu: Gpu, module: ctypes.c_void_p) -> None:
    out = gpu.array(np.zeros(6, np.float32))
    gpu.launch(module, "constants", (1,), (6,), out)
    assert gpu.read(out, np.zeros(6, np.float32)).tolist() == [1, 2, 4, 1, 2, 4]


@pytest.mark.parametrize(
    ("grid", "block", "said"),
    [
        ((1,), (1, 1, 65), "blockDim.z is 65, and at most 64"),
        ((1, 65536), (1,), "gridDim.y is 65536, and at most 65535"),
        ((1,), (33, 32), "threads in a block: 1056, and at most 1024"),
        ((0,), (1,), "is launched with no threads"),
    ],
)
def test_shapes_that_no_device_takes(
    gpu: Gpu, module: ctypes.c_void_p, grid: tuple[int, ...], block: tuple[int, ...], said: str
) -> None:
    assert said in _failure(gpu, module, "store", grid, block, gpu.array(np.zeros(1, np.float32)), 0)


def test_copies_stay_in_an_allocation(gpu: Gpu) -> None:
    data = gpu.array(np.zeros(4, np.float32))
    with pytest.raises(KernelFailure, match="a copy reads 20 bytes of device memory beyond an allocation of 16"):
        gpu.read(data, np.zeros(5, np.float32))
    with pytest.raises(KernelFailure, match="that cudaMalloc did not return, or of one that is free"):
        gpu.call("cudaFree", ctypes.c_void_p((data.value or 0) + 4))
