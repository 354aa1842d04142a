"""Products of matrices become kernels that are written for their sizes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from compiled_network import Compiled
from onnx_network import Network

TOLERANCE = 1e-5


def attention(rows: int = 17, width: int = 24, heads: int = 3) -> Network:
    """A transformer's block without norms: dense layers on ``[1, N, K]``, two products of activations, a residual."""
    network = Network()
    x = network.input([1, rows, width])

    def dense(value: str, inner: int, out: int) -> str:
        product = network.node("MatMul", value, network.constant(network.weight(out, inner).T))
        return network.node("Add", product, network.constant(network.vector(out)))

    def head(value: str, order: list[int]) -> str:
        shape = network.constant([1, rows, heads, width // heads], np.int64)
        return network.node("Transpose", network.node("Reshape", value, shape), perm=order)

    query, key, value = (dense(x, width, width) for _ in range(3))
    scores = network.node("MatMul", head(query, [0, 2, 1, 3]), head(key, [0, 2, 3, 1]))
    weights = network.node("Softmax", network.node("Div", scores, network.constant(np.sqrt(8))), axis=-1)
    mixed = network.node("Transpose", network.node("MatMul", weights, head(value, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    joined = network.node("Reshape", mixed, network.constant([1, rows, width], np.int64))
    y = network.node("Add", dense(joined, width, width), x)
    return network.output(network.node("Add", dense(network.node("Relu", dense(y, width, 40)), 40, width), y))


def odd_products() -> Network:
    """A constant on the left, one matrix for many, broadcast axes, a row and a column."""
    network = Network()
    x = network.input([2, 3, 9, 10])
    turned = network.node("Transpose", x, perm=[0, 1, 3, 2])
    row = network.node("ReduceMean", x, network.constant([2], np.int64))
    one = network.node("ReduceMean", turned, network.constant([0, 1], np.int64))
    return network.output(
        network.node("MatMul", network.constant(network.weight(7, 9)), x),
        network.node("MatMul", x, network.constant(network.weight(3, 10, 5))),
        network.node("MatMul", x, turned),
        network.node("MatMul", x, one),
        network.node("Mul", network.node("MatMul", x, turned), network.constant(0.5)),
        network.node("Mul", network.node("MatMul", x, turned), network.constant(0.25)),
        network.node("MatMul", row, turned),
    )


def test_attention(compile_network: Callable[[Network], Compiled]) -> None:
    module = compile_network(attention())
    assert module.error() < TOLERANCE
    made = {kernel.name: kernel.generator for kernel in module.result.kernels if "matmul" in kernel.name}
    assert set(made.values()) == {"matmul/1"}
    assert {"matmul_n3_17x8x17_scaled", "matmul_n1_17x40x24_weights_bias_add"} <= set(made)


def test_odd_products(compile_network: Callable[[Network], Compiled]) -> None:
    assert compile_network(odd_products()).error() < TOLERANCE
