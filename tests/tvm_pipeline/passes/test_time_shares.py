"""Compilation tells where kernels that no generator knows take a good part of the time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from compiled_network import Compiled
from onnx_network import Network

from mobilenet_tvm.base.compiled import Kernel, fallback_share
from mobilenet_tvm.base.document import UNSET
from tvm_pipeline.passes.time_shares import warn_of_fallbacks


def _kernel(name: str, generator: str, time: float) -> Kernel:
    return Kernel(name=name, layer=None, record="default", generator=generator, estimated_us=time)


@pytest.mark.parametrize(
    ("own", "scale", "warnings"),
    [pytest.param(70.0, 10, 1, id="more"), pytest.param(81.0, 10, 0, id="less"), pytest.param(70.0, 1, 0, id="tiny")],
)
def test_a_fifth_is_warned_of_where_it_is_worth_it(own: float, scale: int, warnings: int) -> None:
    times = {"lrn": 15.0, "erf": 5.0, "conv": own}
    kernels = [_kernel(name, "conv2d/2" if name == "conv" else "fallback/1", scale * t) for name, t in times.items()]
    told: list[str] = []
    warn_of_fallbacks(kernels, told.append)
    assert len(told) == warnings
    assert all("lrn" in line and "2 kernels" in line and "\n" not in line for line in told)


def test_nothing_is_known_without_estimates() -> None:
    assert fallback_share([Kernel(name="a", layer=None, record="default", generator="fallback/1")]) is None


def test_estimates_of_a_network(compile_network: Callable[[Network], Compiled]) -> None:
    network = Network()
    x = network.conv(network.input([1, 16, 32, 32]), 16, 64, 3)
    y = network.conv(x, 64, 64, 3)
    quiet = compile_network(network.output(network.node("Relu", y)))
    share = fallback_share(quiet.result.kernels)
    assert share is not None and share < 0.2 and quiet.warnings == ()
    assert all(kernel.estimated_us is not UNSET for kernel in quiet.result.kernels)


def test_a_network_of_foreign_operators_warns(compile_network: Callable[[Network], Compiled]) -> None:
    network = Network()
    x = network.conv(network.input([1, 3, 96, 96]), 3, 32, 1)
    compiled = compile_network(network.output(network.node("LRN", x, size=5)))
    assert len(compiled.warnings) == 1 and "that no generator" in compiled.warnings[0]
