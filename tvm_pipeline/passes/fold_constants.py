"""Computes with NumPy what depends on constants alone (Relax's own FoldConstant compiles a kernel for each)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm import ir, relax

from tvm_pipeline.passes.dataflow import constant_of, operator_name
from tvm_pipeline.passes.rebuild import rebuild

Operands = list[np.ndarray]


def _integers(values: Any) -> list[int]:
    return [int(value) for value in values]


def _reshape(call: relax.Call, operands: Operands) -> np.ndarray:
    return operands[0].reshape(_integers(call.args[1].values))


def _permute(call: relax.Call, operands: Operands) -> np.ndarray:
    return operands[0].transpose(None if call.attrs.axes is None else _integers(call.attrs.axes))


_FOLDED: dict[str, Callable[[relax.Call, Operands], np.ndarray]] = {
    "relax.reshape": _reshape,
    "relax.permute_dims": _permute,
    "relax.expand_dims": lambda call, operands: np.expand_dims(operands[0], tuple(_integers(call.attrs.axis))),
    "relax.squeeze": lambda call, operands: np.squeeze(
        operands[0], None if call.attrs.axis is None else tuple(_integers(call.attrs.axis))
    ),
    "relax.isnan": lambda _, operands: np.isnan(operands[0]),
    "relax.where": lambda _, operands: np.where(*operands),
    "relax.add": lambda _, operands: np.add(*operands),
    "relax.subtract": lambda _, operands: np.subtract(*operands),
    "relax.multiply": lambda _, operands: np.multiply(*operands),
    "relax.divide": lambda _, operands: np.divide(*operands),
    "relax.sqrt": lambda _, operands: np.sqrt(operands[0]),
    "relax.rsqrt": lambda _, operands: 1 / np.sqrt(operands[0]),
    "relax.negative": lambda _, operands: np.negative(operands[0]),
}


def fold(call: relax.Call) -> np.ndarray | None:
    """The value of a call whose tensor operands are all constant; None where it is not known how to compute it."""
    handler = _FOLDED.get(operator_name(call))
    if handler is None:
        return None
    tensors = [argument for argument in call.args if not isinstance(argument, relax.ShapeExpr)]
    values = [constant_of(tensor) for tensor in tensors]
    operands = [value for value in values if value is not None]
    return handler(call, operands) if len(operands) == len(values) else None


def fold_constants(module: tvm.IRModule) -> tvm.IRModule:
    """Replaces every foldable binding of ``main`` by a constant."""

    def visit(builder: relax.BlockBuilder, _: relax.Var, value: relax.Expr) -> relax.Expr:
        if isinstance(value, ir.GenericConst | relax.Var):
            return value
        folded = fold(value) if isinstance(value, relax.Call) else None
        return builder.emit(value) if folded is None else relax.const(np.asarray(folded, order="C"))

    return rebuild(module, visit)
