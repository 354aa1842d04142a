"""Tensors that a quantiser left in floating point between integers get a scale.

NNCF takes a convolution and the activation behind it for one operator, and leaves what lies between as it is. In
integers that has eight bits too: any function of one value is a table of 256 entries then. Likewise what a pooling
hands to a layer with quantised weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mobilenet_tvm.model.quantise.activations import values
from mobilenet_tvm.model.quantise.graph import WEIGHTED, Graph, dequantised

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

_TABLES = ("HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Gelu", "Elu", "Mish", "Softplus", "Erf")
"""Functions of one value that no limits of a range can stand for."""


def complete(model: ModelProto, plain: ModelProto, feeds: Iterable[Mapping[str, np.ndarray]]) -> ModelProto:
    """Quantise in place what lies between integers.

    :param plain: the float model that was quantised.
    """
    names = _left(Graph(model))
    for name, (low, high) in _ranges(plain, names, feeds).items():
        _insert(model, name, low, high)
    return model


def _left(graph: Graph) -> list[str]:
    names: list[str] = []
    for node in graph.model.graph.node:
        if node.op_type not in WEIGHTED or dequantised(graph, node.input[1]) is None:
            continue
        if dequantised(graph, node.input[0]) is None:
            names.append(node.input[0])
        readers = graph.readers.get(node.output[0], [])
        if any(reader.op_type in _TABLES for reader in readers):
            names.append(node.output[0])
    return list(dict.fromkeys(names))


def _ranges(
    plain: ModelProto, names: list[str], feeds: Iterable[Mapping[str, np.ndarray]]
) -> dict[str, tuple[float, float]]:
    """Least and largest value of each tensor, zero among them: a border has to be exact."""
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for batch in values(plain, names, feeds) if names else ():
        for name, array in batch.items():
            low, high = ranges[name]
            ranges[name] = min(low, float(array.min())), max(high, float(array.max()))
    return ranges


def _insert(model: ModelProto, name: str, low: float, high: float) -> None:
    """Quantise and dequantise a tensor, for all that reads it."""
    import numpy as np
    from onnx import helper

    graph = Graph(model)
    scale = np.float32(max(high - low, 1e-12) / 255)
    parts = [f"{name}_{part}" for part in ("scale", "zero_point", "quantized", "dequantized")]
    graph.store(parts[0], np.asarray(scale))
    graph.store(parts[1], np.asarray(np.clip(np.rint(-low / scale), 0, 255), np.uint8))
    for reader in graph.readers[name]:
        for place, value in enumerate(reader.input):
            if value == name:
                reader.input[place] = parts[3]
    nodes = [
        helper.make_node("QuantizeLinear", [name, *parts[:2]], [parts[2]], parts[2]),
        helper.make_node("DequantizeLinear", [parts[2], *parts[:2]], [parts[3]], parts[3]),
    ]
    first = list(model.graph.node).index(graph.makers[name]) + 1 if name in graph.makers else 0
    for offset, node in enumerate(nodes):
        model.graph.node.insert(first + offset, node)
