"""A model under change: new names and constants, and what is known of its tensors."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from math import prod

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Shape = tuple[int | None, ...]
"""A dimension that inference does not know is None."""
_SMALL = 1024
"""Elements of an initialiser that may say a shape."""
ONNX_DOMAINS = ("", "ai.onnx")


class Editor:
    """Hands out new names and constants for a model; shapes and dtypes are those of the model as it came.

    :ivar opset: of ONNX's own operators.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.opset = opset_of(model)
        self._names = set(value_names(model.graph))

    def fresh(self, hint: str) -> str:
        """A name that no tensor has."""
        name, number = hint, 0
        while name in self._names:
            number += 1
            name = f"{hint}_{number}"
        self._names.add(name)
        return name

    def constant(self, value: np.ndarray, hint: str = "constant") -> str:
        """The name of a new initialiser."""
        name = self.fresh(hint)
        self.model.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def int64(self, values: Sequence[int]) -> str:
        """The name of a new initialiser of rank 1."""
        return self.constant(np.array(values, np.int64))

    def value(self, name: str) -> np.ndarray | None:
        """What an initialiser of the main graph holds, None for other tensors."""
        tensor = next((tensor for tensor in self.model.graph.initializer if tensor.name == name), None)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def shape(self, name: str) -> Shape | None:
        """A tensor's, None where its rank is unknown."""
        value = self._values.get(name)
        return None if value is None else shape_of(value)

    def dtype(self, name: str) -> np.dtype | None:
        """A tensor's, None where it is unknown."""
        value = self._values.get(name)
        kind = 0 if value is None else value.type.tensor_type.elem_type
        return helper.tensor_dtype_to_np_dtype(kind) if kind else None

    @cached_property
    def _values(self) -> dict[str, ValueInfoProto]:
        return value_infos(self.model)


def opset_of(model: ModelProto) -> int:
    """The version of ONNX's own operators that a model uses; 1 where it does not say."""
    return next((opset.version for opset in model.opset_import if opset.domain in ONNX_DOMAINS), 1)


def value_infos(model: ModelProto) -> dict[str, ValueInfoProto]:
    """What shape inference knows of every tensor of the main graph, initialisers among them."""
    weights = [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in model.graph.initializer]
    graph = onnx.shape_inference.infer_shapes(_without_weights(model), data_prop=True).graph
    return {value.name: value for value in (*graph.value_info, *graph.output, *graph.input, *weights)}


def _without_weights(model: ModelProto) -> ModelProto:
    """A copy that only declares its large initialisers, so that inference copies little."""
    graph, light = model.graph, ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    small = [tensor for tensor in graph.initializer if prod(tensor.dims) <= _SMALL]
    large = [tensor for tensor in graph.initializer if prod(tensor.dims) > _SMALL]
    light.graph.name = graph.name or "graph"
    light.graph.node.extend(graph.node)
    light.graph.initializer.extend(small)
    light.graph.input.extend(graph.input)
    light.graph.input.extend(helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in large)
    light.graph.output.extend(graph.output)
    light.graph.value_info.extend(graph.value_info)
    return light


def shape_of(value: ValueInfoProto) -> Shape | None:
    """A tensor's shape as its declaration has it; None where it declares no rank."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else None for d in tensor.shape.dim)


def value_names(graph: GraphProto) -> Iterator[str]:
    """The names of all tensors of a graph and of those inside it."""
    yield from (value.name for value in (*graph.input, *graph.output))
    yield from (tensor.name for tensor in graph.initializer)
    yield from (tensor.values.name for tensor in graph.sparse_initializer)
    for node in graph.node:
        yield from (*node.input, *node.output)
        for inner in graphs_of(node):
            yield from value_names(inner)


def graphs_of(node: NodeProto) -> list[GraphProto]:
    """The bodies of a node: the branches of If, say."""
    graphs = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    return graphs + [graph for attribute in node.attribute for graph in attribute.graphs]


def values_read(graph: GraphProto) -> set[str]:
    """The names of the tensors that something reads: a node, a node of a body, or whoever reads the outputs."""
    names = {value.name for value in graph.output}
    for node in graph.node:
        names.update(node.input)
        for inner in graphs_of(node):
            names |= values_read(inner)
    return names - {""}


def attribute(node: NodeProto, name: str) -> AttributeProto | None:
    """A node's attribute of that name."""
    return next((found for found in node.attribute if found.name == name), None)


def take_attribute(node: NodeProto, name: str) -> AttributeProto | None:
    """The attribute of that name, which the node loses."""
    taken = attribute(node, name)
    if taken is not None:
        taken = AttributeProto.FromString(taken.SerializeToString())
        keep_attributes(node, lambda other: other.name != name)
    return taken


def keep_attributes(node: NodeProto, keep: Callable[[AttributeProto], bool]) -> None:
    """Drop the attributes of a node that are not to be kept."""
    kept = [AttributeProto.FromString(other.SerializeToString()) for other in node.attribute if keep(other)]
    replace_all(node.attribute, kept)


def set_attribute(node: NodeProto, name: str, value: object) -> None:
    """Give a node an attribute, in place of one of that name."""
    take_attribute(node, name)
    node.attribute.append(helper.make_attribute(name, value))


def replace_all(field: object, values: Iterable[object]) -> None:
    """Put ``values`` into a repeated field of a protobuf message, in place of what is there."""
    kept = list(values)
    del field[:]  # type: ignore[attr-defined]  # protobuf's containers have no type of their own
    field.extend(kept)  # type: ignore[attr-defined]


def constants_of(graph: GraphProto) -> dict[str, TensorProto]:
    """A graph's initialisers by their names."""
    return {tensor.name: tensor for tensor in graph.initializer}
