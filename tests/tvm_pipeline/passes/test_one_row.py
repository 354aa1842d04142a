"""One-dimensional networks become layers like any other, and stay blocked between them."""

from __future__ import annotations

from collections.abc import Callable

from compiled_network import Compiled
from onnx_network import Network


def sequence_network() -> Network:
    network = Network()

    def conv(data: str, channels: int, out: int, kernel: int, group: int = 1) -> str:
        weight = network.constant(network.weight(out, channels // group, kernel))
        return network.node("Conv", data, weight, network.constant(network.vector(out)), group=group)

    x = network.batch_norm(network.node("Relu", conv(network.input([1, 2, 64]), 2, 16, 7)), 16)
    y = network.node("Add", network.node("HardSwish", conv(x, 16, 16, 1)), x)
    y = conv(network.node("MaxPool", y, kernel_shape=[2], strides=[2]), 16, 16, 5, group=16)
    up = network.node("ConvTranspose", y, network.constant(network.weight(16, 16, 2)), strides=[2])
    return network.output(network.node("GlobalAveragePool", network.node("Concat", up, up, axis=1)))


def test_nothing_between_two_layers_is_moved(compile_network: Callable[..., Compiled]) -> None:
    compiled = compile_network(sequence_network())
    assert compiled.error() < 1e-5
    assert sorted(layer.split(" bias")[0] for layer in compiled.layers) == [
        "conv2d 1x64x2->16 k1x7 s1 p0",
        "depthwise 1x29x16 k1x5 s1 p0",
        "global_average_pool 1x50x32",
        "max_pool 1x58x16 k1x2 s1x2 p0",
        "pointwise 1x25x16->32",
        "pointwise 1x58x16->16",
    ]
    foreign = [kernel.name for kernel in compiled.result.kernels if kernel.layer is None]
    assert not [name for name in foreign if "conv" in name or "transpose" in name], foreign
