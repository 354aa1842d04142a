"""Between layers of a quantised network bytes stay bytes, as NumPy computes them from the file's own scales."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from compiled_network import compile_here, run_module
from qdq_network import QdqNetwork

import targets
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from mobilenet_tvm.package.yardstick import expected_outputs
from tvm_pipeline.hardware.target import CpuTarget

VNNI = "x86-64-v4-vnni"
STEP = 0.02


def _inverted_residuals(network: QdqNetwork) -> None:
    """Activations by tables, a gate of squeeze-and-excite, residuals with and without ReLU, and their means."""
    x = network.quantised(network.input([1, 3, 12, 12]), 0.03, 121)
    x = network.quantised(network.qdq_conv(x, 3, 24, 3, strides=[2, 2]), 0.03, 121)
    swish = network.quantised(network.node("HardSwish", x), STEP, 19)
    silu = network.quantised(network.node("Mul", x, network.node("Sigmoid", x)), STEP, 14)
    mean = network.quantised(network.node("GlobalAveragePool", swish), 0.01, 30)
    gate = network.quantised(network.qdq_conv(mean, 24, 24), 0.03, 128)
    gate = network.quantised(network.node("HardSigmoid", gate, alpha=1 / 6, beta=0.5), 1 / 255)
    gated = network.quantised(network.node("Mul", swish, gate), 0.018, 20)
    total = network.quantised(network.node("Add", gated, silu), STEP, 70)
    active = network.quantised(network.node("Relu", network.node("Add", total, swish)), STEP, 0)
    flat = network.quantised(network.node("Flatten", network.node("GlobalAveragePool", active)), 0.01)
    network.output(swish, silu, mean, gated, total, active, flat)


def test_integers_between_layers(tmp_path: Path) -> None:
    same: list[list[np.ndarray]] = []
    for target in (VNNI, "x86-64-v3"):
        network = QdqNetwork()
        _inverted_residuals(network)
        path = network.save(tmp_path / f"{target}.onnx")
        compiled = compile_here(path, CpuTarget.from_json(targets.load(target).to_json()), TuningLogs([]), tmp_path)
        made = {str(kernel.generator) for kernel in compiled.result.kernels if kernel.dtype == "int8"}
        assert {"int8_table/1", "int8_add/1", "int8_multiply/1", "int8_mean/1"} <= made, target
        assert not any("pool" in str(kernel.layer) for kernel in compiled.result.kernels), "flattened or not"
        if targets.load(target).missing_here():
            continue
        inputs = compiled.inputs()
        (right,) = expected_outputs(path, [tuple(inputs)])
        steps = (STEP, STEP, 0.01, 0.018, STEP, STEP, 0.01)
        same.append(run_module(compiled.result.module, inputs))
        for output, exact, step in zip(same[-1], right, steps, strict=True):
            assert np.abs(output - exact).max() <= 2.01 * step, "a step of its own and one of what it reads"
            assert (np.abs(output - exact) < step / 2).mean() > 0.9 and np.ptp(exact) > 10 * step
    for outputs in zip(*same, strict=True):
        np.testing.assert_array_equal(outputs[0], outputs[-1], err_msg="the same on both")


Build = Callable[[QdqNetwork, str], str]


@pytest.mark.parametrize(
    ("build", "kernels"),
    [
        pytest.param(lambda network, x: network.quantised(x, 0.03, 121), [], id="the same bytes again"),
        pytest.param(lambda network, x: network.node("Softplus", x), [], id="no bytes behind it"),
        pytest.param(
            lambda network, x: network.quantised(network.node("Sub", x, network.node("Sigmoid", x)), STEP, 9),
            ["int8_table/1"],
            id="any function of one number",
        ),
    ],
)
def test_what_becomes_a_table(build: Build, kernels: list[str], tmp_path: Path) -> None:
    network = QdqNetwork()
    x = network.quantised(network.input([1, 16, 5, 5]), 0.03, 121)
    network.output(build(network, x))
    path = network.save(tmp_path / "network.onnx")
    compiled = compile_here(path, CpuTarget.from_json(targets.load("x86-64-v3").to_json()), TuningLogs([]), tmp_path)
    assert [kernel.generator for kernel in compiled.result.kernels if kernel.dtype == "int8"] == kernels
    (right,) = expected_outputs(path, [tuple(compiled.inputs())])
    np.testing.assert_allclose(run_module(compiled.result.module, compiled.inputs())[0], right[0], atol=1e-5)
