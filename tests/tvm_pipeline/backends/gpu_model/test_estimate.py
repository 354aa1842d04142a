"""The estimate follows what the model knows of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gpus.hand_kernels import SIZE, THREADS, tiled_matmul, vector_add

from tvm_pipeline.backends.gpu_model.counts import LaunchCounts
from tvm_pipeline.backends.gpu_model.estimate import Estimate, estimate
from tvm_pipeline.backends.gpu_model.walk import count_kernel
from tvm_pipeline.codegen.cuda.fatbin import KernelResources
from tvm_pipeline.hardware.target import GpuTarget

BIG = 1 << 26


def of(counts: LaunchCounts, target: GpuTarget, registers: int = 32, shared: int = 0, **unit: float) -> Estimate:
    return estimate(
        counts, KernelResources("kernel", registers, shared, 0), replace(target.unit, **unit), "ab".__contains__
    )


def test_a_long_addition_takes_what_memory_takes(a100: GpuTarget) -> None:
    (counts,) = count_kernel(vector_add(vector=4, size=BIG), a100.tvm)
    found = of(counts, a100)
    assert found.bound == "memory"
    assert found.cold_bytes == 3 * BIG * 4
    assert found.seconds == pytest.approx(3 * BIG * 4 / 1555e9 + 2e-6)
    assert of(counts, a100, bandwidth_gb_s=2 * 1555.0).seconds < 0.6 * found.seconds


def test_results_that_fit_the_cache_stay_there(a100: GpuTarget) -> None:
    (counts,) = count_kernel(vector_add(), a100.tvm)
    found = of(counts, a100)
    assert found.cold_bytes == 2 * SIZE * 4
    assert found.bound == "launch"
    assert found.waves == pytest.approx(SIZE / THREADS / 108 / 16)


def test_a_wave_more_takes_longer(a100: GpuTarget) -> None:
    """A grid that just fits, and the same with one multiprocessor fewer."""
    (counts,) = count_kernel(tiled_matmul(), a100.tvm)
    shared = counts.shared_bytes
    tight = {"blocks_per_multiprocessor": 1}
    fits = of(counts, a100, shared=shared, multiprocessors=16, **tight)
    tail = of(counts, a100, shared=shared, multiprocessors=15, **tight)
    assert (fits.waves, fits.occupancy.blocks, fits.occupancy.limit) == (1.0, 1, "blocks")
    assert tail.seconds - 2e-6 == pytest.approx(2 * (fits.seconds - 2e-6))


def test_few_warps_are_bound_by_latency(a100: GpuTarget) -> None:
    (counts,) = count_kernel(tiled_matmul(shared=False), a100.tvm)
    assert of(counts, a100, launch_us=0.0).bound == "latency"


def test_spilled_registers_cost(a100: GpuTarget) -> None:
    (counts,) = count_kernel(vector_add(size=1 << 22), a100.tvm)
    dry = estimate(counts, KernelResources("kernel", 32, 0, 0), replace(a100.unit, bandwidth_gb_s=1e6))
    spilling = estimate(counts, KernelResources("kernel", 32, 0, 400), replace(a100.unit, bandwidth_gb_s=1e6))
    assert spilling.seconds > 1.5 * dry.seconds
