"""A network up to some of its tensors: what ``--outputs`` asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.errors import UserError, unknown

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto


def cut_at(path: Path, outputs: Sequence[str], folder: Path) -> Path:
    """The file of the network that computes ``outputs`` and no more; the file itself where it does so already.

    :param folder: where a file may be written.
    :raises UserError: the network has no such tensor, or none of its inputs leads to them.
    """
    import onnx

    if not outputs or list(outputs) == [value.name for value in _load(path, data=False).graph.output]:
        return path
    model = _load(path)
    _cut(model, outputs)
    cut = folder / path.name
    onnx.save(model, cut)
    if not input_names(cut):
        raise UserError(f"{path}: {', '.join(outputs)} depends on no input: name outputs that do")
    return cut


def input_names(path: Path) -> list[str]:
    """What a file's graph reads from outside, initialisers left out."""
    graph = _load(path, data=False).graph
    return [value.name for value in graph.input if value.name not in _constants(graph)]


def _load(path: Path, *, data: bool = True) -> ModelProto:
    import onnx

    return onnx.load(path, load_external_data=data)


def _constants(graph: GraphProto) -> set[str]:
    return {tensor.name for tensor in graph.initializer} | {tensor.values.name for tensor in graph.sparse_initializer}


def _cut(model: ModelProto, outputs: Sequence[str]) -> None:
    """Keep of a graph what its new outputs need, in place."""
    graph = model.graph
    inputs = [value.name for value in graph.input]
    known = [name for name in (*inputs, *(name for node in graph.node for name in node.output)) if name]
    for name in outputs:
        if name not in known:
            raise unknown("tensor", name, known)
    nodes, needed = _needed(graph, outputs)
    results = _declared(model, outputs)
    for field, kept in (
        (graph.node, nodes),
        (graph.input, [value for value in graph.input if value.name in needed]),
        (graph.initializer, [tensor for tensor in graph.initializer if tensor.name in needed]),
        (graph.sparse_initializer, [tensor for tensor in graph.sparse_initializer if tensor.values.name in needed]),
        (graph.output, results),
    ):
        del field[:]
        field.extend(kept)


def _declared(model: ModelProto, names: Sequence[str]) -> list[ValueInfoProto]:
    """What tensors of a model are, as far as its file or inference tells."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    values = {value.name: value for value in (*graph.value_info, *graph.output, *graph.input)}
    return [values.get(name) or onnx.ValueInfoProto(name=name) for name in names]


def _needed(graph: GraphProto, outputs: Sequence[str]) -> tuple[list[NodeProto], set[str]]:
    """The nodes that lead to the outputs, in order, and the names of all tensors among them."""
    needed, nodes = set(outputs), []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(_reads(node))
    return nodes[::-1], needed


def _reads(node: NodeProto) -> Iterator[str]:
    """The tensors that a node reads, or a node of its bodies."""
    yield from node.input
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            yield from (value.name for value in body.output)
            for inner in body.node:
                yield from _reads(inner)
