"""Scales and shifts are folded into weights and bias, residuals are taken where they are there in time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from compiled_network import Compiled, share_of_range
from onnx_network import Network
from tvm.relax.frontend.onnx import from_onnx

from tvm_pipeline.passes.dataflow import Dataflow
from tvm_pipeline.passes.epilogue import match_epilogue
from tvm_pipeline.passes.pipeline import simplify

CHANNELS = 16


def _convolution(bias: bool) -> tuple[Network, str]:
    network = Network()
    data = network.input([1, 8, 6, 5])
    return network, network.conv(data, 8, CHANNELS, bias=bias)


@pytest.mark.parametrize("bias", [True, False])
def test_batch_normalisation_is_folded_into_weight_and_bias(bias: bool) -> None:
    """Without ONNX Runtime's simplification, which would do it first."""
    network, x = _convolution(bias)
    network.output(network.node("Relu", network.batch_norm(x, CHANNELS)))
    module = from_onnx(network.model(), keep_params_in_input=False)
    flow = Dataflow(simplify(module)["main"])
    start = next(var for var, value in flow.bindings if flow.call(value, "relax.nn.conv2d") is not None)
    weight = network.constants["c0"]
    epilogue = match_epilogue(flow, start, weight, lambda _: False)
    assert epilogue.names == ("bias", "relu")
    *convolution_bias, scale, shift, mean, variance = list(network.constants.values())[1:]
    factor = scale / np.sqrt(variance + 1e-5)
    before = convolution_bias[0] if bias else 0.0
    assert epilogue.affine.bias is not None
    assert share_of_range(epilogue.affine.weight, weight * factor.reshape(-1, 1, 1, 1)) < 1e-6
    assert share_of_range(epilogue.affine.bias, (before - mean) * factor + shift) < 1e-6


def _per_channel(network: Network) -> str:
    return network.constant(network.vector(CHANNELS).reshape(1, CHANNELS, 1, 1) + 2)


SCALES: dict[str, Callable[[Network, str], str]] = {
    "Mul": lambda network, x: network.node("Mul", x, _per_channel(network)),
    "Mul from the left": lambda network, x: network.node("Mul", _per_channel(network), x),
    "Div": lambda network, x: network.node("Div", x, _per_channel(network)),
    "Add": lambda network, x: network.node("Add", x, _per_channel(network)),
    "Sub": lambda network, x: network.node("Sub", x, _per_channel(network)),
    "Mul by a scalar": lambda network, x: network.node("Mul", x, network.constant(0.5)),
    "Add without leading axes": lambda network, x: network.node(
        "Add", x, network.constant(network.vector(CHANNELS).reshape(CHANNELS, 1, 1))
    ),
}


@pytest.mark.parametrize("kind", SCALES)
def test_per_channel_constants_are_folded(kind: str, compile_network: Callable[..., Compiled]) -> None:
    network, x = _convolution(bias=True)
    compiled = compile_network(network.output(network.node("Relu", SCALES[kind](network, x))))
    assert compiled.layers == [f"pointwise 6x5x8->{CHANNELS} bias relu"]
    assert compiled.error() < 1e-5


NO_SCALES: dict[str, Callable[[Network, str], str]] = {
    "a constant minus the result": lambda network, x: network.node("Sub", _per_channel(network), x),
    "a constant over the result": lambda network, x: network.node("Div", network.constant(1.0), x),
    "a constant per pixel": lambda network, x: network.node(
        "Mul", x, network.constant(network.random.standard_normal((6, 5)))
    ),
    "a constant of the result's shape": lambda network, x: network.node(
        "Add", x, network.constant(network.random.standard_normal((1, CHANNELS, 6, 5)))
    ),
}


@pytest.mark.parametrize("kind", NO_SCALES)
def test_other_constants_are_not(kind: str, compile_network: Callable[..., Compiled]) -> None:
    network, x = _convolution(bias=True)
    compiled = compile_network(network.output(NO_SCALES[kind](network, x)))
    assert compiled.layers == [f"pointwise 6x5x8->{CHANNELS} bias"]
    assert compiled.error() < 1e-5


def test_residual_is_taken_by_the_convolution_that_comes_last(compile_network: Callable[..., Compiled]) -> None:
    network, x = _convolution(bias=True)
    second = network.conv(network.node("Relu", x), CHANNELS, CHANNELS, 3)
    compiled = compile_network(network.output(network.node("Relu", network.node("Add", x, second))))
    assert sorted(compiled.layers) == [
        f"conv2d 6x5x{CHANNELS}->{CHANNELS} k3x3 s1 p1 bias add relu",
        f"pointwise 6x5x8->{CHANNELS} bias",
    ]
    assert compiled.error() < 1e-5


def test_of_two_branches_the_later_one_takes_the_earlier_ones_result(
    compile_network: Callable[..., Compiled],
) -> None:
    network = Network()
    data = network.input([1, 8, 6, 5])
    left, right = network.conv(data, 8, CHANNELS), network.conv(data, 8, CHANNELS, 3)
    compiled = compile_network(network.output(network.node("Add", left, right)))
    assert sum("add" in layer for layer in compiled.layers) == 1
    assert compiled.error() < 1e-5


NO_RESIDUALS: dict[str, Callable[[Network, str], str]] = {
    "the result itself": lambda network, x: network.node("Add", x, x),
    "a value computed from the result": lambda network, x: network.node("Add", x, network.node("Abs", x)),
    "a value that is broadcast": lambda network, x: network.node("Add", x, network.node("GlobalAveragePool", x)),
}


@pytest.mark.parametrize("kind", NO_RESIDUALS)
def test_what_is_no_residual_is_added_afterwards(kind: str, compile_network: Callable[..., Compiled]) -> None:
    network, x = _convolution(bias=True)
    compiled = compile_network(network.output(NO_RESIDUALS[kind](network, x)))
    assert f"pointwise 6x5x8->{CHANNELS} bias" in compiled.layers
    assert compiled.error() < 1e-5


def test_kernel_whose_channels_fill_no_block_takes_no_residual(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    x = network.conv(network.input([1, 8, 6, 5]), 8, 3)
    compiled = compile_network(network.output(network.node("Add", network.conv(x, 3, 3), x)))
    assert sorted(compiled.layers) == ["conv2d 6x5x3->3 k1x1 s1 p0 bias", "pointwise 6x5x8->3 bias"]
    assert compiled.error() < 1e-5


def test_kernel_that_fills_its_last_block_up_takes_a_residual(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    x = network.conv(network.input([1, 8, 6, 5]), 8, 20)
    compiled = compile_network(network.output(network.node("Add", network.conv(x, 20, 20), x)))
    assert sorted(compiled.layers) == ["pointwise 6x5x20->20 bias add", "pointwise 6x5x8->20 bias"]
    assert compiled.error() < 1e-5
