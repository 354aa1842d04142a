"""Softmax along any axis, of blocked activations and of others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from compiled_network import Compiled
from onnx_network import Network

TOLERANCE = 1e-5


def softmaxes(channels: int) -> Network:
    """Along every axis; large values, so that an exponential without a maximum would overflow."""
    network = Network()
    x = network.conv(network.input([1, 3, 7, 9]), 3, channels, 3)
    large = network.node("Mul", x, network.constant(80.0))
    over_channels = network.node("Softmax", large, axis=1)
    flat = network.node("Flatten", network.node("GlobalAveragePool", x))
    return network.output(
        network.conv(over_channels, channels, 16),
        *(network.node("Softmax", x, axis=axis) for axis in (2, -1)),
        *(network.node("LogSoftmax", x, axis=axis) for axis in (1, -1)),
        network.node("Softmax", flat, axis=-1),
    )


@pytest.mark.parametrize("channels", [32, 72, 13])
def test_softmax(channels: int, compile_network: Callable[[Network], Compiled]) -> None:
    module = compile_network(softmaxes(channels))
    assert module.error() < TOLERANCE
    made = [kernel for kernel in module.result.kernels if "softmax" in kernel.name]
    assert made and {kernel.generator for kernel in made} == {"softmax/1"}
    if channels == 72:  # its last block is half full
        assert "softmax_1x5x63x16" in [kernel.name for kernel in made]


def test_numbers_beyond_an_exponential(compile_network: Callable[[Network], Compiled]) -> None:
    network = Network()
    module = compile_network(network.output(network.node("Softmax", network.input([2, 33]), axis=-1)))
    values = np.linspace(-3e4, 3e4, 66, dtype=np.float32).reshape(2, 33)
    assert module.error([values]) < TOLERANCE
