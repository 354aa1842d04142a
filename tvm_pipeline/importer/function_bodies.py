"""Replaces operators that have no converter by the function bodies that ONNX defines for them."""

from collections.abc import Collection
from typing import Any

import onnx
from onnx import defs, helper, inliner

_ALWAYS = frozenset({"Attention"})
"""Where TVM's converter of that name is for another domain's operator."""
_DEEPEST = 4
"""Bodies may use operators that have bodies themselves (SwiGLU's has Swish)."""


def expand_functions(model: onnx.ModelProto, converted: Collection[str]) -> onnx.ModelProto:
    """The model with every operator that is not ``converted`` and that ONNX defines by others replaced by those."""
    for _ in range(_DEEPEST):
        expanded = _expand_once(model, converted)
        if expanded is model:
            break
        model = expanded
    return model


def _expand_once(model: onnx.ModelProto, converted: Collection[str]) -> onnx.ModelProto:
    present = {node.op_type for node in model.graph.node if node.domain in ("", "ai.onnx")}
    expanded = [name for name in sorted(present) if (name in _ALWAYS or name not in converted) and _has_body(name)]
    if not expanded:
        return model
    try:
        return inliner.inline_selected_functions(
            _with_types_of_constants(model), [("", name) for name in expanded], inline_schema_functions=True
        )
    except RuntimeError:  # a type that the inliner asks for is not known: the operator stays, and is refused by name
        return model


def _has_body(name: str) -> bool:
    if not defs.has(name):
        return False
    schema: Any = defs.get_schema(name)  # its type leaves out what has to do with functions
    return bool(schema.has_function or schema.has_context_dependent_function)


def _with_types_of_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that states its initialisers' types, which the inliner asks for."""
    typed = onnx.ModelProto()
    typed.CopyFrom(model)
    stated = {value.name for value in (*typed.graph.input, *typed.graph.value_info)}
    typed.graph.value_info.extend(
        helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
        for tensor in typed.graph.initializer
        if tensor.name not in stated
    )
    typed = onnx.shape_inference.infer_shapes(typed)
    for node in typed.graph.node:
        _state_defaults(node)
    typed.graph.value_info.append(helper.make_tensor_value_info("", onnx.TensorProto.FLOAT, None))  # inputs left out
    return typed


def _state_defaults(node: onnx.NodeProto) -> None:
    """Writes out attributes that are left to their defaults: the inliner takes them for missing."""
    if node.domain not in ("", "ai.onnx") or not _has_body(node.op_type):
        return
    given = {attribute.name for attribute in node.attribute}
    for name, attribute in defs.get_schema(node.op_type).attributes.items():
        if name not in given and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
            node.attribute.append(attribute.default_value)
