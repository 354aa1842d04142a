"""Quantised networks are computed in whole numbers where they can be, and as the file says everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from compiled_network import compile_here, run_module
from qdq_network import QdqNetwork

import targets
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from mobilenet_tvm.package.yardstick import expected_outputs
from tvm_pipeline.hardware.target import CpuTarget

VNNI = "x86-64-v4-vnni"
_needs_vnni = pytest.mark.skipif(bool(targets.load(VNNI).missing_here()), reason="this CPU has no AVX512-VNNI")
EACH = [pytest.param(VNNI, marks=_needs_vnni), "x86-64-v3"]
STEP = 0.02

Build = Callable[[QdqNetwork], str]


def _mobile(network: QdqNetwork) -> str:
    """All kinds of layers of a MobileNet, a residual and a classifier among them."""
    x = network.quantised(network.input([1, 3, 12, 12]), 0.03, 121)
    x = network.quantised(network.node("Relu", network.qdq_conv(x, 3, 16, 3, strides=[2, 2])), 0.02)
    x = network.quantised(network.node("Clip", network.qdq_conv(x, 16, 16, 3, 16), *_six(network)), 0.0236)
    first = network.quantised(network.qdq_conv(x, 16, 24), 0.02, 128)
    second = network.quantised(network.qdq_conv(first, 24, 24), 0.02, 130)
    x = network.quantised(network.node("Add", first, second), 0.03, 127)
    x = network.quantised(network.node("HardSwish", network.qdq_conv(x, 24, 40)), 0.02, 19)
    x = network.quantised(network.node("GlobalAveragePool", x), 0.01, 10)
    x = network.quantised(network.node("Flatten", x), 0.01, 10)
    logits = network.node("Gemm", x, network.weights(16, 40), network.constant(network.vector(16)), transB=1)
    return network.quantised(logits, STEP, 128)


def _six(network: QdqNetwork) -> tuple[str, str]:
    return network.constant(0.0), network.constant(6.0)


def _asymmetric_weights(network: QdqNetwork) -> str:
    x = network.quantised(network.input([1, 16, 6, 6]), 0.03, 121)
    return network.quantised(network.node("Conv", x, network.weights(16, 16, 1, 1, zero=3)), STEP, 128)


def _one_scale_for_all_channels(network: QdqNetwork) -> str:
    x = network.quantised(network.input([2, 24, 5, 7]), 0.03, 121)
    return network.quantised(network.node("Conv", x, network.weights(40, 24, 1, 1, per_channel=False)), STEP, 128)


def _sums_too_large_for_float32(network: QdqNetwork) -> str:
    """A full 3x3 convolution of 64 channels: its sums are no whole numbers in float32."""
    x = network.quantised(network.input([1, 64, 6, 6]), 0.03, 121)
    return network.quantised(network.qdq_conv(x, 64, 16, 3), STEP, 128)


def _read_twice(network: QdqNetwork) -> str:
    """The sum is an output beside its bytes: nothing may be folded into the kernel."""
    x = network.quantised(network.input([1, 16, 6, 6]), 0.03, 121)
    total = network.qdq_conv(x, 16, 16)
    network.output(total)
    return network.quantised(network.node("Relu", total), STEP, 0)


def _compile(build: Build, target: str, folder: Path) -> tuple[list[str | None], list[np.ndarray], list[np.ndarray]]:
    network = QdqNetwork()
    network.output(build(network))
    path = network.save(folder / "network.onnx")
    compiled = compile_here(path, CpuTarget.from_json(targets.load(target).to_json()), TuningLogs([]), folder)
    inputs = compiled.inputs()
    (right,) = expected_outputs(path, [tuple(inputs)])
    kernels = [kernel.layer for kernel in compiled.result.kernels if kernel.dtype == "int8" and kernel.layer]
    return kernels, list(run_module(compiled.result.module, inputs)), list(right)


@pytest.mark.parametrize("target", EACH)
@pytest.mark.parametrize(
    ("build", "layers"),
    [
        (_mobile, 6),
        (_asymmetric_weights, 0),
        (_one_scale_for_all_channels, 1),
        (_sums_too_large_for_float32, 0),
        (_read_twice, 1),
    ],
)
def test_a_step_apart_at_most(build: Build, layers: int, target: str, tmp_path: Path) -> None:
    kernels, outputs, right = _compile(build, target, tmp_path)
    for output, exact in zip(outputs, right, strict=True):
        assert np.abs(output - exact).max() <= 1.01 * STEP
        assert np.ptp(exact) > 10 * STEP, "alive"
    assert (outputs[-1] == right[-1]).mean() > 0.8, "rounding moves few"
    assert len(kernels) == layers, kernels


@_needs_vnni
def test_what_becomes_part_of_a_kernel(tmp_path: Path) -> None:
    kernels, *_ = _compile(_mobile, VNNI, tmp_path)
    assert "int8 conv2d 12x12x3->16 k3x3 s2 p1 requantise" in kernels
    assert "int8 depthwise 6x6x16 k3x3 s1 p1 requantise" in kernels
    assert "int8 pointwise 6x6x24->40 dequantise" in kernels, "hard-swish comes before its bytes"
    assert "int8 pointwise 1x1x40->16 requantise" in kernels


@_needs_vnni
def test_a_bias_that_no_int32_holds(tmp_path: Path) -> None:
    network = QdqNetwork()
    x = network.quantised(network.input([1, 16, 6, 6]), 1e-7, 121)
    weight = network.weights(16, 16, 1, 1)
    bias = network.constant(np.full(16, 1e6))
    network.output(network.quantised(network.node("Conv", x, weight, bias), 1e4, 0))
    onnx.save(network.model(), tmp_path / "network.onnx")
    target = CpuTarget.from_json(targets.load(VNNI).to_json())
    compiled = compile_here(tmp_path / "network.onnx", target, TuningLogs([]), tmp_path)
    (right,) = expected_outputs(tmp_path / "network.onnx", [tuple(compiled.inputs())])
    np.testing.assert_allclose(run_module(compiled.result.module, compiled.inputs())[0], right[0], atol=1.01e4)
    assert all(kernel.dtype == "float32" for kernel in compiled.result.kernels)


@_needs_vnni
def test_a_bias_whose_sums_no_int32_holds(tmp_path: Path) -> None:
    """It fits itself; with a sum it would wrap, and the largest results would be the smallest."""
    network = QdqNetwork()
    x = network.quantised(network.input([1, 16, 6, 6]), 0.01)
    values, zeros = network.constant(np.full((16, 16, 1, 1), 127), np.int8), network.constant(np.zeros(16), np.int8)
    weight = network.node("DequantizeLinear", values, network.constant(np.full(16, 1e-6)), zeros, axis=0)
    bias = network.constant(np.full(16, (2**31 - 1000) * 1e-8))
    network.output(network.quantised(network.node("Conv", x, weight, bias), 0.1))
    path = network.save(tmp_path / "network.onnx")
    compiled = compile_here(path, CpuTarget.from_json(targets.load(VNNI).to_json()), TuningLogs([]), tmp_path)
    (right,) = expected_outputs(path, [tuple(compiled.inputs())])
    np.testing.assert_allclose(run_module(compiled.result.module, compiled.inputs())[0], right[0], atol=0.101)
    assert all(kernel.dtype == "float32" for kernel in compiled.result.kernels)
