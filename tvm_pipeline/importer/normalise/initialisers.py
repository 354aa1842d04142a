"""Constants in one spelling: dense initialisers, which are no inputs."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, numpy_helper

from tvm_pipeline.importer.normalise.editor import ONNX_DOMAINS, constants_of, replace_all


def dense(sparse: SparseTensorProto) -> np.ndarray:
    """A sparse tensor with its zeros; its indices are of rank 1, into the flat tensor, or of rank 2."""
    values, indices = numpy_helper.to_array(sparse.values), numpy_helper.to_array(sparse.indices)
    flat = indices if indices.ndim < 2 else np.ravel_multi_index(tuple(indices.T), tuple(sparse.dims))
    whole = np.zeros(prod(sparse.dims), values.dtype)
    whole[flat] = values
    return whole.reshape(tuple(sparse.dims))


_SPELLINGS: dict[str, Callable[[AttributeProto], Any]] = {
    "value_float": lambda a: np.float32(a.f),
    "value_floats": lambda a: np.array(a.floats, np.float32),
    "value_int": lambda a: np.int64(a.i),
    "value_ints": lambda a: np.array(a.ints, np.int64),
    "sparse_value": lambda a: dense(a.sparse_tensor),
}
"""Of a Constant node, besides ``value``; strings stay, and are refused."""


def _initialiser(node: NodeProto) -> TensorProto | None:
    if node.op_type != "Constant" or node.domain not in ONNX_DOMAINS or len(node.attribute) != 1:
        return None
    (attribute,) = node.attribute
    if attribute.name == "value":
        tensor = TensorProto()
        tensor.CopyFrom(attribute.t)
        tensor.name = node.output[0]
        return tensor
    read = _SPELLINGS.get(attribute.name)
    return None if read is None else numpy_helper.from_array(np.asarray(read(attribute)), node.output[0])


def constants_to_initialisers(model: ModelProto) -> None:
    """Make initialisers of Constant nodes of every spelling, and of sparse initialisers, in place."""
    graph = model.graph
    read = [(node, _initialiser(node)) for node in graph.node]
    graph.initializer.extend(tensor for _, tensor in read if tensor is not None)
    graph.initializer.extend(numpy_helper.from_array(dense(s), s.values.name) for s in graph.sparse_initializer)
    replace_all(graph.node, [node for node, tensor in read if tensor is None])
    del graph.sparse_initializer[:]


def initialisers_are_no_inputs(model: ModelProto) -> None:
    """Take initialisers out of the inputs, where IR 3 had to list them: ONNX Runtime's simplification drops some that
    nothing reads any more, and TVM would take what is left of the list for arguments."""
    constants = constants_of(model.graph)
    replace_all(model.graph.input, [value for value in model.graph.input if value.name not in constants])
