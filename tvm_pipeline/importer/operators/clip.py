"""Clip, ReLU6's ONNX form, as Relax operators that passes recognise (TVM's own converter emits kernels)."""

import math

import numpy as np
from tvm import ir, relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, constant, dtype_of
from tvm_pipeline.passes.dataflow import constant_of


def convert_clip(node: Node) -> relax.Expr:
    """Clip-1 to 13: ``min(max(x, low), high)``, so that all is ``high`` where ``low`` exceeds it.

    NaN as a bound is none.
    """
    if node.opset < 11:
        bounds = [node.attributes.get(name) for name in ("min", "max")]
    else:
        bounds = [_bound(node, index) for index in (1, 2)]
    low, high = (None if isinstance(bound, float) and math.isnan(bound) else bound for bound in bounds)
    if isinstance(low, float) and isinstance(high, float) and low <= high:
        return _clip_constant(node, low, high)
    value = node.data
    if low is not None:
        value = node.emit(relax.op.maximum(value, _operand(node, low)))
    return value if high is None else relax.op.minimum(value, _operand(node, high))


def _clip_constant(node: Node, low: float, high: float) -> relax.Expr:
    if np.dtype(node.dtype).kind == "f":
        return relax.op.clip(node.data, low, high)
    return relax.op.minimum(node.emit(relax.op.maximum(node.data, _operand(node, low))), _operand(node, high))


def _bound(node: Node, index: int) -> float | relax.Expr | None:
    """A constant bound as a number (of a floating dtype), one of a run as a tensor of rank 0."""
    if not node.has(index):
        return None
    bound = node.tensor(index)
    value = constant_of(bound)
    if value is None:
        return node.emit(relax.op.reshape(bound, ()))
    if value.size != 1:
        raise Unsupported(f"a bound has {value.size} elements: it is to be a scalar")
    return float(value.reshape(())) if value.dtype.kind == "f" else constant(value.reshape(()))


def _operand(node: Node, bound: float | relax.Expr) -> relax.Expr:
    if isinstance(bound, ir.GenericConst | relax.Var):
        assert dtype_of(bound) == node.dtype
        return bound
    return node.scalar(bound)
