"""What a warp waits for, worked out by hand."""

from __future__ import annotations

import pytest
import tvm
from gpus.hand_kernels import TILE, N, tiled_matmul, vector_add

from tvm_pipeline.backends.gpu_model.device_functions import device_functions
from tvm_pipeline.backends.gpu_model.warp_time import WarpTime, warp_time
from tvm_pipeline.hardware.multiprocessor import BARRIER_CYCLES, GLOBAL_CYCLES, SHARED_CYCLES
from tvm_pipeline.hardware.target import GpuTarget


def time_of(function: tvm.tirx.PrimFunc, target: GpuTarget) -> WarpTime:
    (one,) = device_functions(function, target.tvm)
    return warp_time(one, target.unit)


def test_two_loads_are_waited_for_once(a100: GpuTarget) -> None:
    """A load, a load, an addition (two cycles of a scheduler with 16 lanes), a store."""
    assert time_of(vector_add(), a100) == WarpTime(GLOBAL_CYCLES + 3 + 2, 4)


def test_each_tile_is_waited_for(a100: GpuTarget) -> None:
    time = time_of(tiled_matmul(), a100)
    tiles = N // TILE
    least = tiles * (GLOBAL_CYCLES + SHARED_CYCLES) + (2 * tiles - 1) * BARRIER_CYCLES
    assert least + N * 4 < time.cycles < 2 * least
    # two loads and a multiply-add per step, and what loops and copies cost
    assert 3 * N < time.slots < 6 * N


def test_without_tiles_every_few_steps_wait(a100: GpuTarget) -> None:
    assert time_of(tiled_matmul(shared=False), a100).cycles >= N / 4 * GLOBAL_CYCLES
    assert time_of(tiled_matmul(), a100).cycles < time_of(tiled_matmul(shared=False), a100).cycles


def test_vectors_issue_less(a100: GpuTarget) -> None:
    assert time_of(vector_add(vector=4), a100).slots == pytest.approx(4 + 3)  # four additions
