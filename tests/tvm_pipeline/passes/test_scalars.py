"""Scalars that are computed at run time: kernels of rank 0, which no other kernel is fused with."""

from __future__ import annotations

from collections.abc import Callable

from compiled_network import Compiled
from onnx_network import Network


def test_scalars_that_are_computed_at_run_time(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    data = network.input([1, 8, 6, 6])
    mean = network.node("ReduceMean", data, keepdims=0)
    top = network.node("ReduceMax", data, keepdims=0)
    share = network.node("Div", network.node("Sub", data, mean), top)
    network.output(share, network.node("Clip", data, mean, network.node("Exp", mean)), network.node("Sqrt", top))
    assert compile_network(network).error() < 1e-6
