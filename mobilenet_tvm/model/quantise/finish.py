"""What quantisers leave undone: the form that integers are computed from, whoever quantised.

Activations become u8, biases s32 with the scale of their layer's sums, and the last layer's result stays what it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mobilenet_tvm.model.quantise.graph import WEIGHTED, Graph, dequantised

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto, NodeProto

EQUALISED = "mobilenet_tvm.equalised"
"""The key of a file's metadata that says what equalisation divided the channels of its tensors by."""
_LARGEST_BIAS = 2**30
"""Half of what 32 bits hold: the sums of products come on top."""


def finish(model: ModelProto, equalised: Mapping[str, np.ndarray]) -> ModelProto:
    """A QDQ model, finished."""
    import onnx

    outputs_stay_float(model)
    unsigned_activations(model)
    integer_biases(model)
    _drop_unread(model)
    if equalised:
        factors = {name: [float(f"{factor:.6g}") for factor in values] for name, values in equalised.items()}
        model.metadata_props.add(key=EQUALISED, value=json.dumps(factors, separators=(",", ":")))
    del model.graph.value_info[:]  # some say that activations are signed
    return onnx.shape_inference.infer_shapes(model)


def outputs_stay_float(model: ModelProto) -> None:
    """Undo the quantisation of outputs that a convolution or dense layer makes: nothing is gained by it."""
    graph = Graph(model)
    for value in model.graph.output:
        dequantise = graph.makers.get(value.name)
        quantise = _maker(graph, dequantise, "DequantizeLinear", "QuantizeLinear")
        layer = graph.makers.get(quantise.input[0]) if quantise is not None else None
        if dequantise is None or quantise is None or layer is None or layer.op_type not in WEIGHTED:
            continue
        if graph.only_reader(layer.output[0]) and graph.only_reader(quantise.output[0]):
            layer.output[0] = value.name
            model.graph.node.remove(quantise)
            model.graph.node.remove(dequantise)


def unsigned_activations(model: ModelProto) -> None:
    """Signed activations become unsigned ones: 128 more, and a zero point of 128 more."""
    import numpy as np

    graph = Graph(model)
    for node in model.graph.node:
        if node.op_type != "QuantizeLinear" or len(node.input) < 3:
            continue
        zero = graph.constant(node.input[2])
        if zero is None or zero.dtype != np.int8 or not _only_dequantised(graph, node):
            continue
        graph.store(node.input[2], (zero.astype(np.int16) + 128).astype(np.uint8))


def integer_biases(model: ModelProto) -> None:
    """Biases of quantised layers become 32-bit integers, with the product of both scales as theirs.

    A channel whose weights are so small beside its bias that this would not fit gets a larger scale of weights.
    """
    import onnx

    graph = Graph(model)
    for node in list(model.graph.node):
        if node.op_type not in ("Conv", "ConvTranspose", "Gemm") or len(node.input) < 3 or not _plain_sum(node):
            continue
        data, weight = (dequantised(graph, name) for name in node.input[:2])
        bias = graph.constant(node.input[2])
        if bias is None or data is None or weight is None or bias.ndim != 1:
            continue
        integers, scale = _integer_bias(graph, data, weight, bias)
        names = [f"{node.output[0]}_bias_{part}" for part in ("quantized", "scale", "zero_point")]
        for name, value in zip(names, (integers, scale, integers * 0), strict=True):
            graph.store(name, value)
        dequantise = onnx.helper.make_node(
            "DequantizeLinear", names, [f"{node.output[0]}_bias_dequantized"], names[0], axis=0
        )
        node.input[2] = dequantise.output[0]
        model.graph.node.insert(list(model.graph.node).index(node), dequantise)


def _drop_unread(model: ModelProto) -> None:
    """Remove what nothing reads any more: float biases, scales of outputs."""
    read = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _integer_bias(graph: Graph, data: NodeProto, weight: NodeProto, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A layer's bias in integers, and their scale; the layer's weights are scaled anew where it would not fit."""
    import numpy as np

    steps = graph.constant(data.input[1])
    scales, weights = graph.constant(weight.input[1]), graph.constant(weight.input[0])
    assert steps is not None and scales is not None and weights is not None
    step = np.float64(steps.reshape(-1)[0])
    needed = (np.abs(bias.astype(np.float64)) / (step * _LARGEST_BIAS)).astype(np.float32)
    wide = np.maximum(np.broadcast_to(scales, bias.shape), needed)
    if (wide > scales).any() and scales.shape == bias.shape:
        axis = next((entry.i for entry in weight.attribute if entry.name == "axis"), 1)
        shape = [-1 if index == axis % weights.ndim else 1 for index in range(weights.ndim)]
        narrower = np.rint(weights * (scales.astype(np.float64) / wide).reshape(shape)).astype(weights.dtype)
        graph.store(weight.input[0], narrower)
        graph.store(weight.input[1], wide)
        scales = wide
    scale = np.broadcast_to(np.float32(step) * scales, bias.shape).astype(np.float32)
    integers = np.rint(bias.astype(np.float64) / scale).clip(-(2**31), 2**31 - 1)
    return integers.astype(np.int32), scale


def _plain_sum(node: NodeProto) -> bool:
    """Whether a bias is added as it is: a Gemm may scale it."""
    return all(entry.f == 1.0 for entry in node.attribute if entry.name in ("alpha", "beta"))


def _maker(graph: Graph, node: NodeProto | None, kind: str, made_by: str) -> NodeProto | None:
    """Who makes the first input of a node, where node and maker are of those kinds."""
    maker = graph.makers.get(node.input[0]) if node is not None and node.op_type == kind else None
    return maker if maker is not None and maker.op_type == made_by else None


def _only_dequantised(graph: Graph, node: NodeProto) -> bool:
    """Whether all that reads a quantised tensor dequantises it by the same zero point."""
    readers = graph.readers.get(node.output[0], [])
    same = (list(reader.input[1:]) == list(node.input[1:]) for reader in readers)
    return all(reader.op_type == "DequantizeLinear" for reader in readers) and all(same)
