"""Normalisations, named or spelled out, become one kernel each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from compiled_network import Compiled
from onnx_network import Network

TOLERANCE = 1e-5


def _group_norm(network: Network, data: str, channels: int, groups: int, size: int) -> str:
    """As PyTorch exports it."""
    apart = network.node("Reshape", data, network.constant([0, groups, -1], np.int64))
    ones, zeros = network.constant(np.ones(groups)), network.constant(np.zeros(groups))
    normal = network.node("InstanceNormalization", apart, ones, zeros, epsilon=1e-4)
    whole = network.node("Reshape", normal, network.constant([1, channels, size, size], np.int64))
    scaled = network.node("Mul", whole, network.constant(network.vector(channels).reshape(-1, 1, 1)))
    return network.node("Add", scaled, network.constant(network.vector(channels).reshape(-1, 1, 1)))


def _spelled_out(network: Network, data: str, channels: int) -> str:
    """LayerNormalization before opset 17."""
    axes = network.constant([-1], np.int64)
    difference = network.node("Sub", data, network.node("ReduceMean", data, axes))
    square = network.node("Pow", difference, network.constant(2.0))
    variance = network.node("Add", network.node("ReduceMean", square, axes), network.constant(1e-5))
    normal = network.node("Div", difference, network.node("Sqrt", variance))
    scaled = network.node("Mul", normal, network.constant(network.vector(channels)))
    return network.node("Add", scaled, network.constant(network.vector(channels)))


def norms(channels: int, groups: tuple[int, ...]) -> Network:
    network = Network()
    x = network.conv(network.input([1, 3, 9, 9]), 3, channels, 3)

    def vector() -> str:
        return network.constant(network.vector(channels))

    instance = network.node("Relu", network.node("InstanceNormalization", x, vector(), vector()))
    last = network.node("Transpose", x, perm=[0, 2, 3, 1])
    layer = network.node("LayerNormalization", last, vector(), vector(), axis=-1)
    back = network.node("Transpose", layer, perm=[0, 3, 1, 2])
    plain = network.node("Transpose", _spelled_out(network, last, channels), perm=[0, 3, 1, 2])
    grouped = [_group_norm(network, x, channels, each, 9) for each in groups]
    whole = network.constant(network.weight(channels, 9, 9))
    return network.output(
        *(network.conv(value, channels, 16) for value in (instance, back, plain, *grouped)),
        network.node("LayerNormalization", x, whole, axis=1),
    )


def test_blocks(compile_network: Callable[[Network], Compiled]) -> None:
    module = compile_network(norms(64, (1, 2, 16, 64)))
    assert module.error() < TOLERANCE
    names = [kernel.name for kernel in module.result.kernels]
    assert "normalise_1x4x1x81x16_scale_shift_relu" in names
    assert {"normalise_1x1x4x81x16_scale_shift", "normalise_1x16x4x81x1_scale_shift"} <= set(names)
    assert not any("sqrt" in name or "variance" in name for name in names)


@pytest.mark.parametrize(("channels", "groups"), [(72, (1, 3, 9)), (15, (1, 3, 15))])
def test_channels_that_fill_no_block(
    channels: int, groups: tuple[int, ...], compile_network: Callable[[Network], Compiled]
) -> None:
    assert compile_network(norms(channels, groups)).error() < TOLERANCE
