"""Quantisation that no layer can be computed by: broken scales and zero points, and numbers of other than 8 bits."""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from tvm_pipeline.importer.normalise.editor import constants_of
from tvm_pipeline.importer.refusals.where import refusal

_OPERATORS = ("QuantizeLinear", "DequantizeLinear")
_BYTES: dict[int, tuple[int, int]] = {TensorProto.UINT8: (0, 255), TensorProto.INT8: (-128, 127)}
_TAKEN = {*_BYTES, TensorProto.UINT16, TensorProto.INT16, TensorProto.INT32}


def refuse_quantised(model: ModelProto) -> None:
    """:raises UserError: a scale is no number above zero, a zero point is no value of its type, or a type has 4 bits
    or is a float8.
    """
    constants = constants_of(model.graph)
    types = {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
    for node in model.graph.node:
        if node.op_type in _OPERATORS:
            _check_type(node, constants, types)
            _check_scale(node, constants.get(node.input[1]))
            _check_zero(node, constants.get(node.input[2]) if len(node.input) > 2 else None)


def _check_type(node: NodeProto, constants: dict[str, TensorProto], types: dict[str, int]) -> None:
    kinds = {constants[name].data_type for name in (node.input[0], *node.input[2:]) if name in constants}
    kinds |= {attribute.i for attribute in node.attribute if attribute.name == "output_dtype" and attribute.i}
    kinds.add(types.get(node.input[0], TensorProto.FLOAT))
    floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
    for kind in sorted(kinds - _TAKEN - set(floats)):
        name = TensorProto.DataType.Name(kind).lower()
        raise refusal(node, f"is about {name}, and only 8, 16 and 32 bits are compiled: quantise to 8 bits")


def _check_scale(node: NodeProto, scale: TensorProto | None) -> None:
    if scale is None:
        return
    values = numpy_helper.to_array(scale).astype(np.float64)
    wrong = values[~((values > 0) & np.isfinite(values))]
    if wrong.size:
        raise refusal(
            node,
            f"has the scale {float(wrong.flat[0])!r} ({scale.name!r}), and only finite ones above zero are one: "
            "quantise the model again",
        )


def _check_zero(node: NodeProto, zero: TensorProto | None) -> None:
    """Bytes may be written as whole numbers of 32 bits, which hold more."""
    if zero is None or zero.data_type not in _BYTES:
        return
    low, high = _BYTES[zero.data_type]
    wrong = [value for value in zero.int32_data if not low <= value <= high]
    if wrong:
        raise refusal(
            node, f"has the zero point {wrong[0]} ({zero.name!r}), and it lies in {low} to {high}: quantise again"
        )
