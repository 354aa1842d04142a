"""Signed activations as unsigned ones, which layers of bytes take: all values and the zero point move up by 128."""

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from tvm_pipeline.importer.normalise.editor import Editor, attribute, constants_of, graphs_of, take_attribute

_UP = 128
_LOWEST, _HIGHEST = -128, 127


def signed_bytes_to_unsigned(model: ModelProto) -> None:
    """Give pairs of QuantizeLinear and DequantizeLinear of int8 a zero point in uint8, in place.

    What else reads or hands out the bytes keeps them as they are, a branch's body too, and so do weights.
    """
    if any(graphs_of(node) for node in model.graph.node):
        return
    editor, constants = Editor(model), constants_of(model.graph)
    outputs = {value.name for value in model.graph.output}
    for node in model.graph.node:
        if node.op_type != "QuantizeLinear" or node.input[0] in constants or node.output[0] in outputs:
            continue
        readers = [other for other in model.graph.node if node.output[0] in other.input]
        if _is_signed(node, constants) and all(_reads_as_numbers(reader, node, constants) for reader in readers):
            take_attribute(node, "output_dtype")
            for part in (node, *readers):
                _move_up(part, editor, constants)


def _is_signed(node: NodeProto, constants: dict[str, TensorProto]) -> bool:
    """Whether a QuantizeLinear makes int8 by a zero point that is known, and is one."""
    if len(node.input) > 2 and node.input[2]:
        return _is_known(node.input[2], constants)
    kind = attribute(node, "output_dtype")
    return kind is not None and kind.i == TensorProto.INT8


def _reads_as_numbers(reader: NodeProto, node: NodeProto, constants: dict[str, TensorProto]) -> bool:
    if reader.op_type != "DequantizeLinear" or list(reader.input).index(node.output[0]) != 0:
        return False
    return len(reader.input) < 3 or not reader.input[2] or _is_known(reader.input[2], constants)


def _is_known(zero: str, constants: dict[str, TensorProto]) -> bool:
    tensor = constants.get(zero)
    if tensor is None or tensor.data_type != TensorProto.INT8:
        return False
    return all(_LOWEST <= value <= _HIGHEST for value in tensor.int32_data)


def _move_up(node: NodeProto, editor: Editor, constants: dict[str, TensorProto]) -> None:
    zero = node.input[2] if len(node.input) > 2 and node.input[2] else None
    if zero is None:
        scale = constants.get(node.input[1])
        shape: Sequence[int] = () if scale is None else tuple(scale.dims)
        value = np.zeros(shape, np.int16)
    else:
        value = numpy_helper.to_array(constants[zero]).astype(np.int16)
    moved = editor.constant((value + _UP).astype(np.uint8), "unsigned_zero")
    parts = [*node.input[:2], moved]
    del node.input[:]
    node.input.extend(parts)
