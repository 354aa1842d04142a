"""What a network becomes on a GPU: which kernels, in which dtypes, and which it does without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tvm
from onnx_network import Network
from tvm import relax

import targets
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import GpuTarget, Target
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.passes.schedule_kernels import schedule_kernels
from tvm_pipeline.tuning.calls import calls_of


def _target(dtype: str = "float32") -> GpuTarget:
    return Target.from_json(targets.load("cuda-sm_80").to_json(), dtype)


def _kinds(network: Network, folder: Path) -> list[str]:
    target = _target()
    with target.tvm:
        module = lower(import_onnx(network.save(folder / "network.onnx")), target.unit)
    return sorted(layer.kind for layer in calls_of(module))


def _separable(channels: int, out: int, size: int) -> Network:
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, channels, size, size]), channels, channels, 3, group=channels))
    return made.output(made.node("Relu", made.conv(x, channels, out)))


def _small() -> Network:
    """Every kind of layer that a MobileNet has, squeeze-and-excite too."""
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, 3, 32, 32]), 3, 16, 3, strides=[2, 2]))
    y = made.node("Relu", made.conv(x, 16, 16, 3, group=16))
    squeezed = made.node("GlobalAveragePool", y)
    gate = made.node("Sigmoid", made.conv(made.node("Relu", made.conv(squeezed, 16, 8)), 8, 16))
    x = made.node("Add", made.conv(made.node("Mul", y, gate), 16, 16), x)
    flat = made.node("Flatten", made.node("GlobalAveragePool", x))
    return made.output(made.node("Gemm", flat, made.constant(made.weight(16, 10)), made.constant(made.vector(10))))


def _kernel_results(module: tvm.IRModule) -> list[str]:
    """The dtypes of what kernels return, in order, views left out."""
    found = []
    for block in module["main"].body.blocks:
        for binding in block.bindings:
            value = binding.value
            calls = isinstance(value, relax.Call) and value.args and isinstance(value.args[0], tvm.ir.GlobalVar)
            if calls and not relax.analysis.has_reshape_pattern(module[value.args[0]]):
                found.append(str(binding.var.ty.dtype))
    return found


def test_no_layer_is_computed_by_strassen(tmp_path: Path) -> None:
    made = Network()
    made.output(made.node("Relu", made.conv(made.input([1, 256, 14, 14]), 256, 256)))
    assert _kinds(made, tmp_path) == ["pointwise"]


@pytest.mark.parametrize(
    ("channels", "out", "size", "fused"),
    [
        (32, 64, 112, True),
        (16, 32, 56, True),
        (48, 64, 112, False),  # too many steps
        (32, 128, 112, False),  # each of two tiles would make the depthwise half
        (32, 48, 112, False),
        (32, 64, 28, False),  # mostly border
    ],
)
def test_large_images_with_few_channels_are_fused(
    channels: int, out: int, size: int, fused: bool, tmp_path: Path
) -> None:
    assert _kinds(_separable(channels, out, size), tmp_path) == (["separable"] if fused else ["depthwise", "pointwise"])


def test_inside_is_half_and_outside_is_not(tmp_path: Path) -> None:
    path = _small().save(tmp_path / "network.onnx")
    target = _target("float16")
    with target.tvm:
        module = lower(import_onnx(path, None), target.unit)
    main = module["main"]
    assert [str(parameter.ty.dtype) for parameter in main.params] == ["float32"]
    *inside, last = _kernel_results(module)
    assert set(inside) == {"float16"}
    assert last == str(main.ret_ty.dtype) == "float32"


def test_half_needs_as_many_kernels_as_float32(tmp_path: Path) -> None:
    path = _small().save(tmp_path / "network.onnx")
    results = []
    for dtype in ("float32", "float16"):
        target = _target(dtype)
        with target.tvm:
            results.append(_kernel_results(lower(import_onnx(path, None), target.unit)))
    assert len(results[0]) == len(results[1]), "casts are part of the kernels"


def test_all_that_computes_is_bound_to_threads(tmp_path: Path) -> None:
    """Norms, softmax and products of activations, too, and a reshape whose result is an output, which is no view."""
    made = Network()
    x = made.conv(made.input([1, 3, 9, 9]), 3, 32, 3)
    normal = made.node("InstanceNormalization", x, *(made.constant(made.vector(32)) for _ in range(2)))
    rows = made.node("Reshape", made.node("Softmax", normal, axis=1), made.constant([1, 32, 81], np.int64))
    layer = made.node("LayerNormalization", rows, *(made.constant(made.vector(81)) for _ in range(2)), axis=-1)
    made.output(made.node("Softmax", made.node("MatMul", layer, made.node("Transpose", layer, perm=[0, 2, 1]))))
    target = _target()
    with target.tvm:
        module = lower(import_onnx(made.save(tmp_path / "network.onnx")), target.unit)
        scheduled, kernels = schedule_kernels(module, TuningLogs(), target.unit, 1, lambda message: None)
    assert {kernel.generator for kernel in kernels} >= {"normalise/1", "softmax/1", "fallback/1"}
    for block in scheduled["main"].body.blocks:
        for binding in block.bindings:
            kernel = scheduled[binding.value.args[0]]
            is_view = isinstance(binding.var, relax.DataflowVar) and relax.analysis.has_reshape_pattern(kernel)
            assert is_view or "threadIdx.x" in kernel.script(), kernel.script()
