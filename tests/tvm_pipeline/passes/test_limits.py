"""NaN goes through whatever compares, to the places where ONNX Runtime has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from compiled_network import Compiled, run_module, run_onnxruntime
from onnx_network import Network

CHANNELS, SIDE = 16, 8


def _compared(network: Network, x: str) -> Iterator[str]:
    """Results of all operators that compare; of pooling too."""
    zero, one, six = (network.constant(value) for value in (0.0, 1.0, 6.0))
    slope = network.constant(np.full((CHANNELS, 1, 1), 0.1))
    for kind in ("Relu", "LeakyRelu", "HardSwish", "Softplus", "Elu", "GlobalAveragePool"):
        yield network.node(kind, x)
    yield network.node("HardSigmoid", x, alpha=1 / 6)
    yield network.node("PRelu", x, slope)
    yield network.node("Clip", x, zero, six)
    yield network.node("Clip", x, zero, one)
    for operands in ((x, zero), (one, x), (network.node("Abs", x), network.node("Neg", x))):
        yield network.node("Max", *operands)
        yield network.node("Min", *operands)
    for kind in ("AveragePool", "MaxPool"):
        yield network.node(kind, x, kernel_shape=[3, 3], pads=[1] * 4)
    for axes in ([1], [2, 3], [3]):
        for kind in ("ReduceMax", "ReduceMin"):
            yield network.node(kind, x, network.constant(axes, np.int64), keepdims=axes != [3])
    for axis in (1, 3):
        yield network.node("Softmax", x, axis=axis)


def _fused(network: Network) -> Iterator[str]:
    """The same behind convolutions, whose kernels take some of them; max pooling by blocks."""
    for kind in ("Relu", "HardSwish", "Sigmoid", "Tanh", "Mish"):
        yield network.node(kind, network.conv("input", CHANNELS, CHANNELS, 3))
    limits = network.constant(0.0), network.constant(6.0)
    yield network.node("Clip", network.conv("input", CHANNELS, CHANNELS, 3), *limits)
    for stride, pads in ((1, [1] * 4), (2, [0, 0, 1, 1])):
        convolved = network.conv("input", CHANNELS, CHANNELS, 3)
        yield network.node("MaxPool", convolved, kernel_shape=[3, 3], strides=[stride] * 2, pads=pads)


def _check(network: Network, compile_network: Callable[..., Compiled]) -> None:
    compiled = compile_network(network)
    random = np.random.default_rng(0)
    for position in ((0, 0, 0, 0), (0, 3, 4, 5), (0, CHANNELS - 1, SIDE - 1, SIDE - 1), ...):
        data = random.standard_normal((1, CHANNELS, SIDE, SIDE)).astype(np.float32)
        data[position] = np.nan
        expected, results = run_onnxruntime(compiled.onnx, [data]), run_module(compiled.result.module, [data])
        for name, right, result in zip(network.outputs, expected, results, strict=True):
            np.testing.assert_allclose(result, right, atol=1e-4, err_msg=f"{name}, NaN at {position}")
        assert np.isnan(results[0]).any()


def test_nan_passes_elementwise_operators(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    x = network.input([1, CHANNELS, SIDE, SIDE])
    _check(network.output(*_compared(network, x)), compile_network)


def test_nan_passes_kernels_and_their_epilogues(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    network.input([1, CHANNELS, SIDE, SIDE])
    _check(network.output(*_fused(network)), compile_network)


def test_the_last_pixels_nan_is_the_maximum_of_an_image(compile_network: Callable[..., Compiled]) -> None:
    """What an earlier one makes forgotten depends on how many lanes a vector has, in ONNX Runtime too."""
    network = Network()
    x = network.input([1, CHANNELS, SIDE, SIDE])
    network.output(network.node("GlobalMaxPool", x), network.node("GlobalMaxPool", network.conv(x, CHANNELS, CHANNELS)))
    compiled = compile_network(network)
    data = np.random.default_rng(0).standard_normal((1, CHANNELS, SIDE, SIDE)).astype(np.float32)
    data[0, 3, SIDE - 1, SIDE - 1] = np.nan
    expected, results = run_onnxruntime(compiled.onnx, [data]), run_module(compiled.result.module, [data])
    assert [int(np.isnan(values).sum()) for values in expected] == [1, CHANNELS]
    for right, result in zip(expected, results, strict=True):
        np.testing.assert_allclose(result, right, atol=1e-4)
