"""An ONNX graph to look around in: who makes a tensor, who reads it, what its constants are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto, NodeProto

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators that multiply by weights, their second input."""

_MOVES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity", "MaxPool")
"""Operators whose results have values of what they are made of."""


class Graph:
    """A view of a model; what changes the model's nodes makes a new one.

    :ivar makers: the node that makes each tensor.
    :ivar readers: the nodes that read each tensor.
    """

    def __init__(self, model: ModelProto) -> None:
        from onnx import numpy_helper

        self._numpy_helper = numpy_helper
        self.model = model
        self.makers: dict[str, NodeProto] = {}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            self.makers.update((name, node) for name in node.output if name)
            for name in dict.fromkeys(node.input):
                self.readers.setdefault(name, []).append(node)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._outputs = {value.name for value in model.graph.output}

    def constant(self, name: str) -> np.ndarray | None:
        """The value of an initialiser or of a Constant node; None of anything else."""
        tensor = self._constants.get(name)
        node = self.makers.get(name)
        if tensor is None and node is not None and node.op_type == "Constant":
            tensor = next((attribute.t for attribute in node.attribute if attribute.name == "value"), None)
        return None if tensor is None else self._numpy_helper.to_array(tensor)

    def is_initialiser(self, name: str) -> bool:
        """Whether a tensor's value is stored in the file and nothing computes it."""
        return name in self._constants

    def store(self, name: str, value: np.ndarray) -> None:
        """Give an initialiser, old or new, a value."""
        tensor = self._numpy_helper.from_array(value, name)
        if name not in self._constants:
            self._constants[name] = self.model.graph.initializer.add()
        self._constants[name].CopyFrom(tensor)

    def only_reader(self, name: str) -> NodeProto | None:
        """The one node that reads a tensor; None where there are several, or the tensor is an output of the graph."""
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and name not in self._outputs else None

    def weighted(self) -> list[NodeProto]:
        """The convolutions and dense layers, in order: those whose weights are constants."""
        nodes = (node for node in self.model.graph.node if node.op_type in WEIGHTED)
        return [node for node in nodes if self.constant(node.input[1]) is not None]


def attribute(node: NodeProto, name: str, default: int) -> int:
    """A whole number among a node's attributes."""
    return next((int(entry.i) for entry in node.attribute if entry.name == name), default)


def dequantised(graph: Graph, name: str) -> NodeProto | None:
    """The DequantizeLinear that a tensor's values come from, whatever their shape became; None without one."""
    node = graph.makers.get(name)
    while node is not None and node.op_type in _MOVES:
        node = graph.makers.get(node.input[0])
    return node if node is not None and node.op_type == "DequantizeLinear" else None
