"""Strassen's algorithm only where a layer's weights let it be exact, and the plain product elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compiled_network import compile_here
from onnx_network import Network

import targets
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.workloads.strassen_error import LARGEST_GROWTH, growth

CHANNELS, BLOCKS = 256, 4
WIDE, NARROW = "x86-64-v4", "x86-64-v3"


def _rescaled(sigma: float, seed: int = 0) -> Network:
    """Blocks of MobileNetV1 with rescaled channels, which ReLU lets pass: the same function for every ``sigma``."""
    network, factors = Network(seed), np.random.default_rng(seed + 1)
    value = network.node("Relu", network.conv(network.input([1, 8, 14, 14]), 8, CHANNELS))
    scale = np.ones(CHANNELS, np.float32)
    for block in range(BLOCKS):
        for group in (CHANNELS, 1):
            last = block == BLOCKS - 1 and group == 1
            before, scale = scale, np.ones(CHANNELS) if last else np.exp(sigma * factors.standard_normal(CHANNELS))
            value = _convolution(network, value, group, before, scale)
    return network.output(value)


def _convolution(network: Network, data: str, group: int, before: np.ndarray, scale: np.ndarray) -> str:
    """With ReLU; inputs come multiplied by ``before``, results leave multiplied by ``scale``."""
    kernel = 3 if group > 1 else 1
    weight = network.weight(CHANNELS, CHANNELS // group, kernel, kernel)
    inputs = before.reshape(-1, 1, 1, 1) if group > 1 else before.reshape(1, -1, 1, 1)
    operands = [weight * scale.reshape(-1, 1, 1, 1) / inputs, network.vector(CHANNELS) * 0.1 * scale]
    convolved = network.node("Conv", data, *map(network.constant, operands), group=group, pads=[kernel // 2] * 4)
    return network.node("Relu", convolved)


@pytest.fixture(scope="module")
def widest() -> CpuTarget:
    """With AVX-512 where this CPU has it: what Strassen's algorithm is for."""
    runs = next(preset for preset in map(targets.load, (WIDE, NARROW)) if not preset.missing_here())
    return CpuTarget.from_json(runs)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.0, 1.5, 3.0])
def test_rescaled_channels_cost_no_digits(sigma: float, widest: CpuTarget, tmp_path: Path) -> None:
    path = _rescaled(sigma).save(tmp_path / "network.onnx")
    assert compile_here(path, widest, TuningLogs([]), tmp_path).error() < 1e-5


@pytest.mark.parametrize(("sigma", "is_safe"), [(0.0, True), (0.5, True), (2.0, False), (3.0, False)])
def test_weights_decide(sigma: float, is_safe: bool, tmp_path: Path) -> None:
    target = CpuTarget.from_json(targets.load(WIDE))
    with target.tvm:
        module = lower(import_onnx(_rescaled(sigma).save(tmp_path / "network.onnx")), target.unit)
    kernels = [variable.name_hint for variable in module.get_global_vars()]
    assert any(name.startswith("strassen") for name in kernels) == is_safe
    assert any(name.startswith("pointwise_14x14x256_256") for name in kernels) != is_safe


def test_weights_of_one_size_grow_least() -> None:
    assert growth(np.ones((64, 32), np.float32)) == 4.0
    assert growth(np.random.default_rng(0).standard_normal((512, 512))) < 8


def test_a_single_small_channel_is_enough() -> None:
    weight = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    weight[100] *= 1e-6
    assert growth(weight) > LARGEST_GROWTH
    weight[100] = 0.0  # nobody asks for the digits of nothing
    assert growth(weight) < 8


def test_inputs_that_differ_are_told_by_their_weights() -> None:
    scale = np.exp(2 * np.random.default_rng(1).standard_normal(512))
    weight = np.random.default_rng(0).standard_normal((512, 512))
    assert growth(weight * scale) > LARGEST_GROWTH
