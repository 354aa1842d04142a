"""Whole networks, awkward ones, compute what ONNX Runtime computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from compiled_network import Compiled
from onnx import TensorProto
from onnx_network import Network

TOLERANCE = 1e-5
"""Of the output's range; a wrong kernel is off by more than 1e-2 on weights that are alive."""


def _squeeze_and_excite(network: Network, data: str, channels: int, squeezed: int) -> str:
    pooled = network.node("GlobalAveragePool", data)
    hidden = network.node("Relu", network.conv(pooled, channels, squeezed))
    gate = network.node("HardSigmoid", network.conv(hidden, squeezed, channels), alpha=1 / 6)
    return network.node("Mul", data, gate)


def branchy() -> Network:
    """Concatenation, groups, odd channels, dilation, poolings, a gate, and a residual with a projection."""
    network = Network()
    image = network.input([1, 3, 33, 29])
    stem = network.node("Relu", network.conv(image, 3, 24, 3, strides=[2, 2]))
    pooled = network.node("LRN", network.node("MaxPool", stem, kernel_shape=[3, 3], strides=[2, 2]), size=3)
    mean: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1]}
    branches = [
        network.node("Relu", network.conv(pooled, 24, 16)),
        network.conv(pooled, 24, 20, 3, pads=[2, 2, 2, 2], dilations=[2, 2]),
        network.conv(network.node("AveragePool", pooled, **mean), 24, 12),
        network.node("AveragePool", pooled, count_include_pad=1, **mean),
        network.conv(pooled, 24, 24, 3, group=4),
    ]
    joined = network.node("Concat", *branches, axis=1)
    channels = 16 + 20 + 12 + 24 + 24
    gated = _squeeze_and_excite(network, joined, channels, 12)
    depthwise = network.node("HardSwish", network.conv(gated, channels, channels, 5, group=channels, strides=[2, 2]))
    main = network.conv(depthwise, channels, 40)
    shortcut = network.conv(gated, channels, 40, strides=[2, 2], pads=[0, 0, 0, 0])
    block = network.node("Relu", network.node("Add", main, shortcut))
    features = network.node("Flatten", network.node("GlobalAveragePool", block))
    logits = network.node(
        "Gemm", features, network.constant(network.weight(10, 40)), network.constant(network.vector(10)), transB=1
    )
    return network.output(logits, block)


def pooling() -> Network:
    network = Network()
    x = network.conv(network.input([1, 16, 17, 19]), 16, 16, 3)
    return network.output(
        network.node("MaxPool", x, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1]),
        network.node("MaxPool", x, kernel_shape=[3, 3], dilations=[2, 1], strides=[1, 1]),
        network.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        network.node("MaxPool", x, kernel_shape=[3, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1),
        network.node("AveragePool", x, kernel_shape=[2, 3], strides=[1, 2]),
        network.node("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0]),
        network.node("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
        network.node("AveragePool", x, kernel_shape=[5, 4], strides=[2, 3], pads=[0, 3, 2, 1]),
        network.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        network.node("AveragePool", x, kernel_shape=[17, 19]),
        network.node("GlobalMaxPool", x),
    )


def same_padding() -> Network:
    """``auto_pad``, as TensorFlow's exporters write it."""
    network = Network()
    x = network.conv(network.input([1, 3, 15, 14]), 3, 16, 3, pads=[0, 0, 0, 0])
    kernel: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2]}
    weight = network.constant(network.weight(16, 16, 3, 3))
    return network.output(
        network.node("Conv", x, weight, auto_pad="SAME_UPPER", strides=[2, 2]),
        network.node("Conv", x, weight, auto_pad="SAME_LOWER"),
        network.node("Conv", x, weight, auto_pad="VALID", strides=[2, 2]),
        network.node("MaxPool", x, auto_pad="SAME_UPPER", **kernel),
        network.node("MaxPool", x, auto_pad="SAME_LOWER", **kernel),
        network.node("AveragePool", x, auto_pad="SAME_UPPER", **kernel),
    )


def batch_norm_before_convolution() -> Network:
    """DenseNet's order, which nothing folds away."""
    network = Network()
    x = network.input([1, 16, 9, 9])
    x = network.conv(network.node("Relu", network.batch_norm(x, 16)), 16, 32, 3, bias=False)
    y = network.conv(network.node("Relu", network.batch_norm(x, 32)), 32, 32)
    return network.output(network.node("Relu", network.batch_norm(network.node("Add", y, x), 32)))


def channel_shuffle() -> Network:
    network = Network()
    x = network.conv(network.input([1, 3, 16, 16]), 3, 32, 3)
    apart = network.node("Reshape", x, network.constant([1, 2, 16, 16, 16], np.int64))
    mixed = network.node("Transpose", apart, perm=[0, 2, 1, 3, 4])
    mixed = network.node("Reshape", mixed, network.constant([1, 32, 16, 16], np.int64))
    y = network.conv(mixed, 32, 32, 3, group=32)
    return network.output(network.conv(network.node("Concat", y, x, axis=1), 64, 16))


def filled_blocks() -> Network:
    """72 and 120 channels, which lie in blocks of 16 with the last one filled up, by 0, 0.5 or what 0 / 0 would be."""
    network = Network()
    x = network.conv(network.input([1, 3, 9, 9]), 3, 72, 3)
    gate = network.node("Sigmoid", network.conv(x, 72, 72))
    scaled = network.node("Mul", gate, network.constant(network.vector(72).reshape(72, 1, 1)))
    joined = network.node("Concat", network.conv(scaled, 72, 48), x, axis=1)
    other = network.node("Concat", x, network.conv(gate, 72, 48), axis=1)
    y = network.conv(network.node("Add", joined, other), 120, 72, 3)
    small, large = network.constant(network.weight(72, 72, 1, 1) / 20), network.constant(np.abs(network.vector(72)) + 2)
    quotient = network.node("Div", y, network.node("Conv", x, small, large))
    pooled = network.node("Flatten", network.node("GlobalAveragePool", y))
    rows = network.node("Gemm", pooled, network.constant(network.weight(72, 10)))
    mean = network.node("ReduceMean", y, network.constant([2, 3], np.int64), keepdims=0)
    return network.output(rows, mean, network.conv(quotient, 72, 8))


def groups() -> Network:
    """Groups of widths that fill blocks, halves of them and none, also around channels that do not stay blocked."""
    network = Network()
    x = network.node("Relu", network.conv(network.input([2, 3, 9, 8]), 3, 48, 3))
    wide = network.node("Add", network.conv(x, 48, 48, 3, group=3), x)
    narrow = network.node("HardSwish", network.conv(wide, 48, 96, 3, group=12, strides=[2, 1]))
    odd = network.conv(network.conv(narrow, 96, 20, group=4, pads=[0, 0, 0, 0]), 20, 30, 3, group=10)
    return network.output(
        odd, network.conv(wide, 48, 96, 5, group=48), network.conv(network.conv(x, 48, 3), 3, 3, 3, group=3)
    )


def transposed() -> Network:
    """Transposed convolutions: those of U-Nets, of generators, with groups, and with everything that ONNX allows."""
    network = Network()
    x = network.node("Relu", network.conv(network.input([2, 3, 5, 6]), 3, 16, 3))

    def up(data: str, channels: int, *weight: int, activation: str = "", **attributes: Any) -> str:
        operands = [network.constant(network.weight(*weight)), network.constant(network.vector(channels))]
        value = network.node("ConvTranspose", data, *operands, **attributes)
        return network.node(activation, value) if activation else value

    doubled = up(x, 8, 16, 8, 2, 2, activation="Relu", strides=[2, 2])
    residual = up(x, 8, 16, 8, 3, 3, strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])
    smooth = up(x, 16, 16, 1, 4, 4, activation="HardSwish", strides=[2, 2], pads=[1] * 4, group=16)
    return network.output(
        network.conv(network.node("Add", doubled, residual), 8, 16),
        network.conv(smooth, 16, 8),
        up(x, 24, 16, 24, 2, 2, strides=[2, 2]),
        up(x, 20, 16, 5, 3, 2, strides=[1, 3], dilations=[3, 1], pads=[0, 1, 2, 0], group=4),
        up(x, 5, 16, 5, 1, 1, strides=[3, 2], output_padding=[2, 1]),
        up(up(x, 3, 16, 3, 3, 3, pads=[1] * 4), 16, 3, 16, 5, 4, strides=[2, 3], pads=[3, 2, 4, 1]),
    )


def sequences() -> Network:
    """One-dimensional convolutions, transposed ones and poolings, with what lies between them and around them."""
    network = Network()
    signal = network.input([2, 6, 50])

    def conv(data: str, channels: int, out: int, kernel: int, group: int = 1, **attributes: Any) -> str:
        weight = network.constant(network.weight(out, channels // group, kernel))
        return network.node("Conv", data, weight, network.constant(network.vector(out)), group=group, **attributes)

    x = network.batch_norm(network.node("Relu", conv(signal, 6, 16, 5, pads=[2, 2])), 16)
    long = conv(x, 16, 16, 9, group=16, pads=[12, 4], dilations=[2])
    y = network.node("Relu", network.node("Add", long, x))
    y = network.node("Mul", y, network.node("Sigmoid", conv(y, 16, 16, 1)))
    pooled = network.node("MaxPool", y, kernel_shape=[3], strides=[2], pads=[0, 1])
    mean = network.node("AveragePool", y, kernel_shape=[2], strides=[2], count_include_pad=1)
    joined = network.node("Concat", pooled, mean, axis=1)
    up = network.node("ConvTranspose", joined, network.constant(network.weight(32, 8, 4)), strides=[2], pads=[1, 1])
    gate = network.node("GlobalAveragePool", up)
    scaled = network.node("Mul", conv(up, 8, 8, 3, group=2, strides=[3]), conv(gate, 8, 8, 1))
    softened = network.node("Softmax", network.node("Transpose", scaled, perm=[0, 2, 1]))
    rows = network.node("Gemm", network.node("Flatten", gate), network.constant(network.weight(8, 5)))
    return network.output(softened, rows, conv(network.node("Sub", up, network.constant(2.0)), 8, 3, 2), scaled)


def batch_of_four() -> Network:
    network = Network()
    x = network.node("Relu", network.conv(network.input([4, 3, 15, 13]), 3, 16, 3, strides=[2, 2]))
    x = network.node("Add", network.conv(x, 16, 16, 3, group=16), x)
    features = network.node("ReduceMean", x, network.constant([2, 3], np.int64), keepdims=0)
    return network.output(network.node("Gemm", features, network.constant(network.weight(16, 10))))


def several_inputs_and_outputs() -> Network:
    network = Network()
    x = network.conv(network.input([1, 3, 9, 9]), 3, 16, 3)
    vector = network.input([4], "vector")
    total = network.node("Add", x, network.input([1, 16, 9, 9], "other"))
    return network.output(total, network.node("Mul", vector, network.constant(2.0)), x)


def weights_that_are_inputs() -> Network:
    network = Network()
    x = network.input([1, 8, 8, 8])
    convolved = network.node("Conv", x, network.input([16, 8, 3, 3], "weight"))
    rows = network.node("Reshape", x, network.constant([64, 8], np.int64))
    return network.output(convolved, network.node("MatMul", rows, network.input([8, 8], "matrix")))


def no_image() -> Network:
    """Inputs of two and three axes, and of five."""
    network = Network()
    rows, tokens = network.input([3, 16], "rows"), network.input([2, 5, 16], "tokens")
    signal, volume = network.input([1, 8, 31], "signal"), network.input([1, 4, 6, 7, 8], "volume")
    weight = network.constant(network.weight(16, 24))
    dense = network.node("Gemm", rows, weight, network.constant(network.vector(24)), alpha=0.5, beta=2.0)
    product = network.node("Add", network.node("MatMul", tokens, weight), network.constant(network.vector(24)))
    return network.output(
        network.node("Relu", dense),
        network.node("Softmax", product),
        network.node("Conv", signal, network.constant(network.weight(16, 8, 3))),
        network.node("Conv", volume, network.constant(network.weight(8, 4, 3, 3, 3))),
    )


def foreign_operators() -> Network:
    """What no kernel of ours computes, around one that is."""
    network = Network()
    x = network.conv(network.input([1, 3, 16, 16]), 3, 16, 3)
    top = network.node("TopK", network.node("Flatten", x), network.constant([5], np.int64), results=2)
    parts = network.node("Split", x, axis=1, num_outputs=2, results=2)
    edges = network.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    return network.output(
        network.node("Resize", x, "", network.constant([1, 1, 2, 2]), mode="nearest"),
        network.node("Pad", x, edges, mode="reflect"),
        network.node("ArgMax", x, axis=1, keepdims=0),
        top,
        f"{top}_1",
        network.node("Transpose", x, perm=[0, 2, 3, 1]),
        network.node("DepthToSpace", x, blocksize=2),
        f"{parts}_1",
        network.node("PRelu", x, network.constant(network.vector(16).reshape(16, 1, 1))),
        network.node("ConvTranspose", x, network.constant(network.weight(16, 4, 3, 3)), strides=[2, 2]),
        network.node("ReduceMean", x, keepdims=0),
    )


def lookup() -> Network:
    network = Network()
    words = network.input([1, 8], kind=TensorProto.INT64)
    return network.output(network.node("Gather", network.constant(network.weight(20, 16)), words))


def half_precision() -> Network:
    network = Network()
    x = network.input([1, 8, 8, 8], kind=TensorProto.FLOAT16)
    return network.output(
        network.node("Relu", network.node("Conv", x, network.constant(network.weight(16, 8, 3, 3), np.float16)))
    )


def nothing_to_compute() -> Network:
    network = Network()
    return network.output(network.node("Identity", network.input([1, 3, 8, 8])))


NETWORKS = (
    branchy,
    pooling,
    same_padding,
    batch_norm_before_convolution,
    channel_shuffle,
    filled_blocks,
    groups,
    transposed,
    sequences,
    batch_of_four,
    several_inputs_and_outputs,
    weights_that_are_inputs,
    no_image,
    foreign_operators,
    lookup,
    half_precision,
    nothing_to_compute,
)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda one: one.__name__)
def test_network_computes_what_onnx_runtime_computes(
    network: Callable[[], Network], compile_network: Callable[..., Compiled]
) -> None:
    compiled = compile_network(network())
    assert compiled.error() < TOLERANCE


def test_convolutions_of_the_branchy_network_get_kernels_of_ours(compile_network: Callable[..., Compiled]) -> None:
    layers = compile_network(branchy()).layers
    assert "conv2d 8x7x24->20 k3x3 s1 p2 d2 bias" in layers
    assert "separable 8x7x96->40 k5x5 s2 p2 bias hard_swish then bias add relu" in layers
    assert "pointwise 1x1x12->96 bias hard_sigmoid" in layers
    assert sum(layer.endswith(" bias add relu") for layer in layers) == 1  # the residual, at one of its two ends
    assert "dense 40->10 bias" in layers


def depthwise_then(users: int, out: int) -> Network:
    network = Network()
    x = network.conv(network.input([1, 16, 9, 9]), 16, 128)
    y = network.node("Relu", network.conv(x, 128, 128, 3, group=128))
    return network.output(*(network.conv(y, 128, out) for _ in range(users)))


@pytest.mark.parametrize(
    ("users", "out", "kinds"),
    [
        (1, 32, ["pointwise", "separable"]),
        (2, 32, ["depthwise", "pointwise", "pointwise"]),  # what two layers read is stored
        (1, 1024, ["depthwise", "pointwise", "pointwise"]),  # weights too large to be read per stripe
        (1, 4, ["depthwise", "pointwise", "pointwise"]),  # a result that does not stay blocked
    ],
)
def test_depthwise_and_pointwise_become_one_kernel_where_it_pays(
    compile_network: Callable[..., Compiled], users: int, out: int, kinds: list[str]
) -> None:
    compiled = compile_network(depthwise_then(users, out))
    found = {layer.split()[0] for layer in compiled.layers}
    assert found == set(kinds)
    assert compiled.error() < TOLERANCE


def test_activations_stay_blocked_from_the_first_kernel_to_the_last(compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    x = network.node("Relu", network.conv(network.input([1, 3, 16, 16]), 3, 16, 3, strides=[2, 2]))
    y = network.node("Relu", network.conv(x, 16, 16, 3, group=16))
    x = network.node("Add", network.conv(y, 16, 16), x)
    x = network.node("Concat", x, network.node("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]), axis=1)
    features = network.node("Flatten", network.node("GlobalAveragePool", x))
    compiled = compile_network(network.output(features))
    foreign = [kernel["name"] for kernel in compiled.result["kernels"] if kernel["layer"] is None]
    assert not [name for name in foreign if "transpose" in name], foreign
    assert compiled.error() < TOLERANCE
