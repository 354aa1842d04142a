"""Constants, normalisation and padding, folded. ONNX Runtime's rewrites would do, but they take HardSwish apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobilenet_tvm.model.quantise.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_EPSILON = 1e-5
"""BatchNormalization's own, where a file does not say it."""


def fold_constants(model: ModelProto) -> None:
    """What depends on no input is computed now and becomes initialisers, in place."""
    import onnx
    import onnxruntime as ort

    graph = Graph(model)
    nodes = _constant_nodes(graph)
    made = {name for node in nodes for name in node.output if name}
    read = {name for node in model.graph.node if made.isdisjoint(node.output) for name in node.input}
    wanted = sorted(made & (read | {value.name for value in model.graph.output}))
    if not wanted:
        return
    outputs = [onnx.ValueInfoProto(name=name) for name in wanted]
    part = onnx.helper.make_graph(nodes, "constants", [], outputs, model.graph.initializer)
    computed = onnx.helper.make_model(part, opset_imports=model.opset_import, ir_version=model.ir_version)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(computed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for name, value in zip(wanted, session.run(wanted, {}), strict=True):
        graph.store(name, value)
    for node in nodes:
        model.graph.node.remove(node)


def _constant_nodes(graph: Graph) -> list[NodeProto]:
    """The nodes that depend on no input, in order; random numbers and nodes with bodies are none."""
    known: set[str] = {""}
    nodes = []
    for node in graph.model.graph.node:
        is_plain = not node.op_type.startswith("Random") and not any(entry.HasField("g") for entry in node.attribute)
        if is_plain and all(name in known or graph.is_initialiser(name) for name in node.input):
            nodes.append(node)
            known.update(node.output)
    return nodes


def fold_normalisations(model: ModelProto) -> None:
    """BatchNormalization behind a convolution that nothing else reads goes into its weights, in place."""
    graph = Graph(model)
    for conv in [node for node in graph.weighted() if node.op_type == "Conv"]:
        node = graph.only_reader(conv.output[0])
        if node is None or node.op_type != "BatchNormalization" or graph.only_reader(conv.input[1]) is None:
            continue
        if any(graph.constant(name) is None for name in (*conv.input[1:], *node.input[1:])):
            continue
        _fold(graph, conv, node)
        model.graph.node.remove(node)


def _fold(graph: Graph, conv: NodeProto, normalisation: NodeProto) -> None:
    import numpy as np

    weights, *biases = (np.asarray(graph.constant(name)) for name in conv.input[1:])
    gain, shift, mean, variance = (np.asarray(graph.constant(name), np.float64) for name in normalisation.input[1:5])
    epsilon = next((entry.f for entry in normalisation.attribute if entry.name == "epsilon"), _EPSILON)
    factor = gain / np.sqrt(variance + epsilon)
    bias = (biases[0] if biases else 0) - mean
    name = f"{normalisation.output[0]}_folded_bias"
    graph.store(conv.input[1], (weights * factor.reshape(-1, *[1] * (weights.ndim - 1))).astype(weights.dtype))
    graph.store(name, (bias * factor + shift).astype(weights.dtype))
    del conv.input[2:]
    conv.input.append(name)
    conv.output[0] = normalisation.output[0]


def fold_padding(model: ModelProto) -> None:
    """A Pad of zeros before a convolution that alone reads it goes into its own padding, in place.

    Between a quantised tensor and its layer it would be in nobody's integers.
    """
    from onnx import helper

    graph = Graph(model)
    for node in [node for node in model.graph.node if node.op_type == "Pad"]:
        conv = graph.only_reader(node.output[0])
        pads = _borders(graph, node)
        if conv is None or conv.op_type != "Conv" or pads is None or not _pads_itself(conv):
            continue
        own = next((entry for entry in conv.attribute if entry.name == "pads"), None)
        known = list(own.ints) if own is not None else [0] * len(pads)
        if own is not None:
            conv.attribute.remove(own)
        conv.attribute.append(helper.make_attribute("pads", [a + b for a, b in zip(known, pads, strict=True)]))
        conv.input[0] = node.input[0]
        model.graph.node.remove(node)


def _borders(graph: Graph, pad: NodeProto) -> list[int] | None:
    """What a Pad adds before and behind each spatial axis; None where it is more than zeros there."""
    if any(entry.name == "mode" and entry.s != b"constant" for entry in pad.attribute):
        return None
    pads = graph.constant(pad.input[1])
    values = [graph.constant(name) for name in pad.input[2:3] if name]
    has_axes = len(pad.input) > 3 and bool(pad.input[3])
    if pads is None or has_axes or any(value is None or float(value) != 0 for value in values):
        return None
    before, behind = (part.tolist() for part in pads.reshape(2, -1))
    borders = [*before[2:], *behind[2:]]
    inside = [*before[:2], *behind[:2]]
    return borders if min(borders, default=-1) >= 0 and not any(inside) else None


def _pads_itself(conv: NodeProto) -> bool:
    """Whether a convolution says its padding in numbers."""
    return all(entry.s in (b"", b"NOTSET") for entry in conv.attribute if entry.name == "auto_pad")
