"""What goes into the manifest."""

from __future__ import annotations

import pytest
import tvm
from gpus.hand_kernels import N, tiled_matmul
from tvm import relax

from tvm_pipeline.backends.gpu_model.figures import add_figures, describe_model
from tvm_pipeline.hardware.target import GpuTarget


def network() -> tvm.IRModule:
    """Two products one after the other, by the same kernel."""
    builder = relax.BlockBuilder()
    kernel = builder.add_func(tiled_matmul(), "product")
    a, b = (relax.Var(name, relax.TensorType((N, N), "float32")) for name in "ab")
    with builder.function("main", [a, b]):
        first = builder.emit(relax.call_tir(kernel, (a, b), out_ty=relax.TensorType((N, N), "float32")))
        second = builder.emit(relax.call_tir(kernel, (first, b), out_ty=relax.TensorType((N, N), "float32")))
        builder.emit_func_output(second)
    return builder.get()


def test_a_kernel_that_is_called_twice(a100: GpuTarget) -> None:
    ptxas = {"name": "product_kernel", "registers": 32, "shared_bytes": 2048, "spill_bytes": 0}
    (kernel,) = add_figures([ptxas], network(), a100)
    assert {key: kernel[key] for key in ptxas} == ptxas
    assert (kernel["function"], kernel["calls"]) == ("product", 2)
    assert (kernel["grid"], kernel["block"]) == ([4, 4, 1], [16, 16, 1])
    assert kernel["flops"] == 2 * N**3
    assert kernel["unique_bytes"] == 3 * N * N * 4
    assert (kernel["occupancy"], kernel["resident_blocks"], kernel["limited_by"]) == (1.0, 8, "threads")
    assert kernel["waves"] == pytest.approx(16 / 108 / 8, abs=1e-4)
    assert kernel["estimated_us"] > a100.unit.launch_us


def test_a_kernel_of_another_name_keeps_what_ptxas_said(a100: GpuTarget) -> None:
    ptxas = {"name": "other_kernel", "registers": 32, "shared_bytes": 0, "spill_bytes": 0}
    assert add_figures([ptxas], network(), a100) == [ptxas]


def test_the_model_says_what_it_models(a100: GpuTarget) -> None:
    assert describe_model(a100) == {"version": 1, "card": "a100", "launch_us": 2.0}
