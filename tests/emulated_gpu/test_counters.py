"""What kernels move, counted: bytes once, bytes of all threads, and the sectors that a warp's instructions move."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from gpus.emulated_driver import Gpu, KernelFailure

SOURCE = """
extern "C" __global__ void copy(const float* data, float* out, int stride) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = data[i * stride];
}
extern "C" __global__ void copy_vectors(const float* data, float* out) {
  int i = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  *(float4*)(out + i) = *(float4*)(data + i);
}
extern "C" __global__ void broadcast(const float* data, float* out) {
  float sum = 0;
  for (int i = 0; i < 8; ++i) sum += data[i];
  out[threadIdx.x] = sum;
}
extern "C" __global__ void one_by_one(const float* data, float* out) {
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = data[threadIdx.x * 4 + i] + 1;
}
extern "C" __global__ void odd_threads(const float* data, float* out) {
  float value = 0;
  if (threadIdx.x % 2 == 1) value = data[threadIdx.x];
  out[threadIdx.x] = value;
}
extern "C" __global__ void through_shared(const half* data, half* out) {
  __shared__ alignas(16) half tile[64];
  tile[threadIdx.x] = data[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}
"""


@pytest.fixture(scope="module")
def module(gpu: Gpu) -> ctypes.c_void_p:
    return gpu.module(SOURCE)


def _count(gpu: Gpu, module: ctypes.c_void_p, kernel: str, blocks: int, threads: int, *more: Any, **kinds: Any) -> Any:
    data, out = (gpu.array(np.zeros(2048, kinds.get("dtype", np.float32))) for _ in range(2))
    gpu.counters()
    gpu.launch(module, kernel, (blocks,), (threads,), data, out, *more)
    (launch,) = gpu.counters()
    return launch


def _bytes(launch: dict[str, Any]) -> tuple[int, ...]:
    """Read once, written once, loaded, stored, loaded in sectors, stored in sectors."""
    names = ("unique_bytes_read", "unique_bytes_written", "bytes_loaded", "bytes_stored")
    return tuple(launch[name] for name in (*names, "sector_bytes_loaded", "sector_bytes_stored"))


def test_a_launch_that_fails_leaves_nothing_to_the_next(gpu: Gpu, module: ctypes.c_void_p) -> None:
    small, out = (gpu.array(np.zeros(48, np.float32)) for _ in range(2))
    with pytest.raises(KernelFailure):
        gpu.launch(module, "copy", (1,), (64,), small, out, 1)
    assert _bytes(_count(gpu, module, "copy", 1, 32, 1)) == (128, 128, 128, 128, 128, 128)


def test_a_launch_is_described(gpu: Gpu, module: ctypes.c_void_p) -> None:
    launch = _count(gpu, module, "through_shared", 1, 64, dtype=np.float16)
    assert launch["kernel"] == "through_shared"
    assert (launch["grid"], launch["block"], launch["shared_bytes"]) == ((1, 1, 1), (64, 1, 1), 128)
    assert _bytes(launch) == (128, 128, 128, 128, 128, 128)
    assert [argument.to_json() for argument in launch.arguments] == [
        {"name": "0 'data'", "bytes": 4096, "unique_bytes_read": 128, "unique_bytes_written": 0},
        {"name": "1 'out'", "bytes": 4096, "unique_bytes_read": 0, "unique_bytes_written": 128},
    ]


def test_neighbours_share_sectors(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert _bytes(_count(gpu, module, "copy", 4, 64, 1)) == (1024,) * 6
    assert _bytes(_count(gpu, module, "copy_vectors", 4, 64)) == (4096,) * 6


def test_a_stride_spreads_them(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert _bytes(_count(gpu, module, "copy", 4, 64, 2)) == (1024, 1024, 1024, 1024, 2048, 1024)
    assert _bytes(_count(gpu, module, "copy", 4, 64, 8)) == (1024, 1024, 1024, 1024, 8192, 1024)


def test_the_same_bytes_for_all_threads(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert _bytes(_count(gpu, module, "broadcast", 1, 64)) == (32, 256, 2048, 256, 512, 256)


def test_scalars_in_a_row_are_as_many_instructions(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert _bytes(_count(gpu, module, "one_by_one", 1, 32)) == (512, 512, 512, 512, 2048, 2048)


def test_lanes_that_go_apart(gpu: Gpu, module: ctypes.c_void_p) -> None:
    assert _bytes(_count(gpu, module, "odd_threads", 1, 32)) == (64, 128, 64, 128, 128, 128)
