"""Builds small ONNX models node by node, with weights that are alive (He initialisation)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18


class Network:
    """Every method that adds a node returns the name of its result."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.inputs: dict[str, tuple[int, list[int | str]]] = {}
        self.outputs: list[str] = []

    def input(self, shape: list[int | str], name: str = "input", kind: int = TensorProto.FLOAT) -> str:
        self.inputs[name] = (kind, shape)
        return name

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def node(self, kind: str, *operands: str, domain: str = "", results: int = 1, **attributes: Any) -> str:
        """The name of the node's first result; the others are called alike with a suffix."""
        name = f"{kind.lower()}{len(self.nodes)}"
        names = [name, *(f"{name}_{index}" for index in range(1, results))]
        self.nodes.append(helper.make_node(kind, operands, names, name, domain=domain, **attributes))
        return name

    def weight(self, *shape: int) -> np.ndarray:
        scale = np.sqrt(2 / np.prod(shape[1:]))
        return np.asarray(self.random.standard_normal(shape) * scale, np.float32)

    def vector(self, size: int) -> np.ndarray:
        return self.random.standard_normal(size).astype(np.float32)

    def conv(
        self, data: str, channels: int, out: int, kernel: int = 1, bias: bool = True, group: int = 1, **attributes: Any
    ) -> str:
        """A convolution; padded to keep the size unless ``pads`` says otherwise."""
        operands = [data, self.constant(self.weight(out, channels // group, kernel, kernel))]
        if bias:
            operands.append(self.constant(self.vector(out)))
        attributes.setdefault("pads", [kernel // 2] * 4)
        return self.node("Conv", *operands, group=group, kernel_shape=[kernel, kernel], **attributes)

    def batch_norm(self, data: str, channels: int) -> str:
        scale, shift, mean = (self.constant(self.vector(channels)) for _ in range(3))
        variance = self.constant(np.abs(self.vector(channels)) + 0.5)
        return self.node("BatchNormalization", data, scale, shift, mean, variance)

    def output(self, *names: str) -> Network:
        self.outputs += names
        return self

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in self.inputs.items()],
            [helper.make_value_info(name, onnx.TypeProto()) for name in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        return onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=opsets, ir_version=10))

    def save(self, path: Path) -> Path:
        onnx.save(self.model(), path)
        return path
