"""Counts against those worked out by hand."""

from __future__ import annotations

import pytest
import tvm
from gpus.hand_kernels import SIZE, THREADS, TILE, N, border, row_add, tiled_matmul, vector_add
from tvm import te
from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.gpu_model.counts import LaunchCounts
from tvm_pipeline.backends.gpu_model.walk import count_kernel
from tvm_pipeline.hardware.target import GpuTarget
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.workloads import build_workload


def only(function: tvm.tirx.PrimFunc, target: GpuTarget) -> LaunchCounts:
    (counts,) = count_kernel(function, target.tvm)
    return counts


def test_vector_add(a100: GpuTarget) -> None:
    counts = only(vector_add(), a100)
    assert (counts.function.grid, counts.function.block) == ((SIZE // THREADS, 1, 1), (THREADS, 1, 1))
    assert counts.global_bytes == counts.sector_bytes == counts.unique_bytes() == 3 * SIZE * 4
    assert counts.arithmetic.flops == counts.arithmetic.instructions == SIZE
    assert counts.barriers == counts.shared_bytes == 0
    assert {(one.buffer, one.is_store, one.requests) for one in counts.accesses} == {
        ("a", False, SIZE / 32),
        ("b", False, SIZE / 32),
        ("c", True, SIZE / 32),
    }


def test_vectors_are_one_request(a100: GpuTarget) -> None:
    counts = only(vector_add(vector=4), a100)
    assert counts.global_bytes == counts.sector_bytes == 3 * SIZE * 4
    assert counts.arithmetic.flops == SIZE
    assert [one.requests for one in counts.accesses] == 3 * [SIZE / 4 / 32]
    assert [one.wavefronts for one in counts.accesses] == 3 * [SIZE / 32]


def test_a_stride_of_a_sector_wastes_seven_eighths(a100: GpuTarget) -> None:
    counts = only(vector_add(stride=8), a100)
    sectors = {one.buffer: one.sectors for one in counts.accesses}
    assert (sectors["a"], sectors["b"]) == (SIZE, SIZE / 8)
    assert counts.unique_bytes(["a"]) == SIZE * 4  # a quarter of a buffer is asked for, not all of it


def test_tiled_matmul(a100: GpuTarget) -> None:
    counts = only(tiled_matmul(), a100)
    tiles = N // TILE
    assert counts.function.blocks == tiles**2
    assert counts.shared_bytes == 2 * TILE * TILE * 4
    loads = 2 * tiles**3 * TILE * TILE * 4
    assert counts.global_bytes == loads + N * N * 4
    assert counts.arithmetic.flops == 2 * N**3
    assert counts.arithmetic.instructions == N**3
    assert counts.barriers == pytest.approx(2 * tiles, abs=1)  # TVM leaves the first out
    assert counts.unique_bytes() == 3 * N * N * 4
    # a row of tiles of a, a column of tiles of b
    assert counts.block_footprint == pytest.approx(2 * TILE * N * 4, rel=0.03)


def test_shared_memory_without_conflicts(a100: GpuTarget) -> None:
    """A warp reads two words of ``a``, 16 apart, and one row of ``b``, 16 words: one pass each."""
    counts = only(tiled_matmul(), a100)
    passes = [one.wavefronts / one.requests for one in counts.accesses if one.scope == "shared"]
    assert passes == 4 * [1.0]


def test_without_shared_memory_each_step_loads(a100: GpuTarget) -> None:
    counts = only(tiled_matmul(shared=False), a100)
    assert counts.global_bytes == 2 * N**3 * 4 + N * N * 4
    assert counts.barriers == counts.shared_bytes == 0
    # per warp and step: two words of a in two rows, 16 words of b
    assert counts.load_sector_bytes == N**3 / 32 * (2 + 2) * 32


def test_all_threads_read_one_vector(a100: GpuTarget) -> None:
    """Its address depends on no thread: a request per warp for two values, of one sector."""
    data, scale = te.placeholder((SIZE, 2), name="a"), te.placeholder((2,), name="b")
    scaled = te.compute(data.shape, lambda i, j: data[i, j] * scale[j], name="c")
    schedule = Schedule(te.create_prim_func([data, scale, scaled]))
    rows, lanes = schedule.get_loops(schedule.get_sblock("c"))
    blocks, threads = schedule.split(rows, [None, THREADS])
    schedule.bind(blocks, "blockIdx.x")
    schedule.bind(threads, "threadIdx.x")
    schedule.vectorize(lanes)
    accesses = {one.buffer: one for one in only(schedule.mod["main"], a100).accesses}
    assert accesses["b"].requests == accesses["b"].sectors == SIZE / 32
    assert accesses["b"].bytes == accesses["a"].bytes == SIZE * 2 * 4


def test_a_condition_on_threads(a100: GpuTarget) -> None:
    counts = only(border(100), a100)
    assert counts.function.blocks == 2
    assert counts.global_bytes == pytest.approx(2 * 100 * 4, rel=0.02)
    assert counts.unique_bytes() <= 2 * 100 * 4


def test_unrolled_steps_share_a_load(a100: GpuTarget) -> None:
    """The compiler keeps ``b[i]`` in a register for all four; in a loop that it does not unroll it is loaded anew."""
    asked = {one.buffer: one.bytes for one in only(row_add(1024), a100).accesses}
    assert asked == {"a": 4 * 1024 * 4, "b": 1024 * 4, "c": 4 * 1024 * 4}
    again = {one.buffer: one.bytes for one in only(row_add(1024, kind="serial"), a100).accesses}
    assert again["b"] == 4 * 1024 * 4


def test_a_layer_of_the_network(a100: GpuTarget) -> None:
    """Multiply-adds of a pointwise layer, its bias and its ReLU: a thread per pixel, in blocks of channels."""
    layer = Layer.parse("pointwise 14x14x64->32 bias relu")
    schedule = Schedule(tvm.IRModule({"main": build_workload(layer)}))
    kernel = prepare_kernel(schedule)
    _, blocks, pixels, lanes = schedule.get_loops(kernel.output)
    schedule.bind(blocks, "blockIdx.y")
    schedule.bind(pixels, "blockIdx.x")
    schedule.bind(lanes, "threadIdx.x")
    schedule.compute_at(kernel.anchor, lanes)
    counts = only(schedule.mod["main"], a100)
    outputs = 14 * 14 * 32
    assert counts.arithmetic.flops == 2 * layer.mult_adds + 2 * outputs
    assert counts.arithmetic.instructions == layer.mult_adds + 2 * outputs
    assert counts.unique_bytes(["weight"]) == 64 * 32 * 4


def test_a_kernel_without_threads_is_refused(a100: GpuTarget) -> None:
    function = build_workload(Layer.parse("pointwise 14x14x64->32"))
    with pytest.raises(ValueError, match="bound to a GPU's threads"):
        count_kernel(function, a100.tvm)
