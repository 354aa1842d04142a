"""Resize between convolutions stays on blocked activations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from compiled_network import Compiled
from onnx_network import Network


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_needs_no_other_layout(compile_network: Callable[..., Compiled], mode: str) -> None:
    network = Network()
    first = network.node("Relu", network.conv(network.input([1, 3, 10, 12]), 3, 16, 3))
    larger = network.node("Resize", first, "", network.constant([1, 1, 2, 1.5]), mode=mode)
    compiled = compile_network(network.output(network.conv(larger, 16, 16, 1)))
    assert compiled.error() < 1e-5
    transposed = [kernel.name for kernel in compiled.result.kernels if "transpose" in kernel.name]
    assert len(transposed) <= 1, "besides the output, nothing is brought into another layout"
