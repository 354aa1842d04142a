"""The mean of a large image is as exact as that of a small one: squeeze-and-excitation multiplies its error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from compiled_network import Compiled, run_module
from onnx_network import Network


def test_the_mean_of_a_large_image(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    convolved = network.conv(network.input([1, 3, 60, 56]), 3, 32, bias=False)
    ((name, weight),) = network.constants.items()
    network.constants[name] = weight = np.abs(weight) + np.float32(0.1)
    compiled = compile_network(network.output(network.node("GlobalAveragePool", convolved)))
    assert "global_average_pool 60x56x32" in compiled.layers
    data = np.random.default_rng(0).uniform(1, 2, (1, 3, 60, 56)).astype(np.float32)
    exact = weight.reshape(32, 3).astype(np.float64) @ data.astype(np.float64).mean((2, 3)).reshape(3)
    (mean,) = run_module(compiled.result.module, [data])
    assert np.abs(mean.reshape(32) / exact - 1).max() < 4e-7
