"""A MobileNetV1 or V2 from ONNX to a float32 TFLite file: onnx_to_tflite.py IN.onnx OUT.tflite

Only what these two consist of. Convolutions are padded as TensorFlow pads (SAME), with stride 2 on the other
side than PyTorch: the same work, not the same numbers. Needs onnx, flatbuffers and ai-edge-litert (for its schema).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import numpy_helper

Operator, Options, Activation = schema.BuiltinOperator, schema.BuiltinOptions, schema.ActivationFunctionType
ACTIVATIONS = {"Relu": Activation.RELU, "Clip": Activation.RELU6}


class Writer:
    """A TFLite model that grows by tensors and operators."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.buffers = [schema.BufferT()]
        self.operators: list[Any] = []
        self.codes: list[int] = []

    def tensor(self, shape: Sequence[int], data: np.ndarray | None = None) -> int:
        """Adds a tensor, constant where there is data; returns its number."""
        made = schema.TensorT()
        made.name = f"t{len(self.tensors)}".encode()
        made.shape = list(shape)
        made.type = schema.TensorType.FLOAT32 if data is None or data.dtype == np.float32 else schema.TensorType.INT32
        made.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            made.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def constant(self, data: np.ndarray) -> int:
        return self.tensor(data.shape, data)

    def operator(self, code: int, inputs: list[int], output: int, kind: int, options: Any) -> None:
        if code not in self.codes:
            self.codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = self.codes.index(code)
        made.inputs, made.outputs = inputs, [output]
        made.builtinOptionsType, made.builtinOptions = kind, options
        self.operators.append(made)

    def finish(self, given: int, result: int) -> bytes:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [given], [result]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], self.buffers, []
        for code in self.codes:
            made = schema.OperatorCodeT()
            made.builtinCode = made.deprecatedBuiltinCode = code
            made.version = 1
            model.operatorCodes.append(made)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class Converter:
    """Walks over an ONNX graph in its order."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        values = (*graph.value_info, *graph.output, *graph.input)
        shapes = {value.name: value.type.tensor_type.shape for value in values}
        self._shapes = {name: [int(extent.dim_value) for extent in shape.dim] for name, shape in shapes.items()}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self._numbers: dict[str, int] = {}
        self._writer = Writer()

    def convert(self) -> bytes:
        given = next(value.name for value in self._graph.input if value.name not in self._constants)
        self._numbers[given] = self._writer.tensor(self._shape(given))
        for node in self._graph.node:
            if node.output[0] not in self._numbers:
                getattr(self, f"_{node.op_type.lower()}")(node)
        return self._writer.finish(self._numbers[given], self._numbers[self._graph.output[0].name])

    def _shape(self, name: str) -> list[int]:
        shape = self._shapes[name]
        return [shape[0], *shape[2:], shape[1]] if len(shape) == 4 else shape

    def _result(self, node: onnx.NodeProto) -> tuple[int, int]:
        """The output's tensor and the activation that goes into the operator, whose node then has its tensor too."""
        name, activation = node.output[0], Activation.NONE
        readers = self._readers.get(name, [])
        number = self._numbers[name] = self._writer.tensor(self._shape(name))
        if len(readers) == 1 and readers[0].op_type in ACTIVATIONS:
            self._numbers[readers[0].output[0]] = number
            activation = ACTIVATIONS[readers[0].op_type]
        return number, activation

    def _constant(self, node: onnx.NodeProto) -> None:
        self._constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)

    def _conv(self, node: onnx.NodeProto) -> None:
        attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        kernel, depthwise = self._constants[node.input[1]], attributes.get("group", 1) > 1
        weights = kernel.transpose(1, 2, 3, 0) if depthwise else kernel.transpose(0, 2, 3, 1)
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME
        options.strideH, options.strideW = attributes.get("strides", (1, 1))
        options.dilationHFactor = options.dilationWFactor = 1
        if depthwise:
            options.depthMultiplier = 1
        output, options.fusedActivationFunction = self._result(node)
        bias = self._writer.constant(self._constants[node.input[2]])
        self._writer.operator(
            Operator.DEPTHWISE_CONV_2D if depthwise else Operator.CONV_2D,
            [self._numbers[node.input[0]], self._writer.constant(weights), bias],
            output,
            Options.DepthwiseConv2DOptions if depthwise else Options.Conv2DOptions,
            options,
        )

    def _add(self, node: onnx.NodeProto) -> None:
        options = schema.AddOptionsT()
        output, options.fusedActivationFunction = self._result(node)
        inputs = [self._numbers[name] for name in node.input]
        self._writer.operator(Operator.ADD, inputs, output, Options.AddOptions, options)

    def _globalaveragepool(self, node: onnx.NodeProto) -> None:
        batch, _, _, channels = self._shape(node.input[0])
        options = schema.ReducerOptionsT()
        options.keepDims = False
        output = self._numbers[node.output[0]] = self._writer.tensor([batch, channels])
        inputs = [self._numbers[node.input[0]], self._writer.constant(np.array([1, 2], np.int32))]
        self._writer.operator(Operator.MEAN, inputs, output, Options.ReducerOptions, options)

    _reducemean = _globalaveragepool

    def _reshape(self, node: onnx.NodeProto) -> None:
        self._numbers[node.output[0]] = self._numbers[node.input[0]]  # behind the pooling there is nothing to reshape

    _flatten = _reshape

    def _gemm(self, node: onnx.NodeProto) -> None:
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        kernel = self._constants[node.input[1]]
        weights = self._writer.constant(kernel if transposed else kernel.T)
        inputs = [self._numbers[node.input[0]], weights, self._writer.constant(self._constants[node.input[2]])]
        options, (output, _) = schema.FullyConnectedOptionsT(), self._result(node)
        self._writer.operator(Operator.FULLY_CONNECTED, inputs, output, Options.FullyConnectedOptions, options)


if __name__ == "__main__":
    model = onnx.shape_inference.infer_shapes(onnx.load(sys.argv[1]))
    Path(sys.argv[2]).write_bytes(Converter(model.graph).convert())
