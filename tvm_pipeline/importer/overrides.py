"""Converters that stand in for TVM's own while a model is imported."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
from tvm import ir, relax
from tvm.relax.frontend.onnx import onnx_frontend


class _Clip(onnx_frontend.Clip):  # type: ignore[misc]  # TVM has no types
    """Clip as Relax operators: TVM's own converter emits kernels, which no pass can recognise as ReLU6."""

    @classmethod
    def _impl_v1(cls, bb: relax.BlockBuilder, inputs: Any, attr: Any, params: Any) -> relax.Expr:
        return relax.op.clip(inputs[0], float(attr.get("min", -3.4e38)), float(attr.get("max", 3.4e38)))

    @classmethod
    def _impl_v13(cls, bb: relax.BlockBuilder, inputs: Any, attr: Any, params: Any) -> relax.Expr:
        data, *bounds = inputs[0], inputs[1], inputs[2]
        if not all(bound is None or isinstance(bound, ir.GenericConst) for bound in bounds):
            return super()._impl_v13(bb, inputs, attr, params)
        low, high = (_limit(bound) for bound in bounds)
        if low is not None and high is not None:
            return relax.op.clip(data, low, high)
        if low is not None:
            return relax.op.maximum(data, relax.const(low, data.ty.dtype))
        return data if high is None else relax.op.minimum(data, relax.const(high, data.ty.dtype))


class _Max(onnx_frontend.Max):  # type: ignore[misc]
    """Max and its like as a Relax operator: TVM's own converter stacks its operands and reduces the stack."""

    @classmethod
    def _impl_v1(cls, bb: relax.BlockBuilder, inputs: Any, attr: Any, params: Any) -> relax.Expr:
        if len(inputs) < 2 or all(isinstance(operand, ir.GenericConst) for operand in inputs):
            return super()._impl_v1(bb, inputs, attr, params)
        return cls._impl_dynamic(bb, inputs)


class _Min(_Max):
    numpy_op, relax_op, binary_op = np.min, relax.op.min, relax.op.minimum


class _Sum(_Max):
    numpy_op, relax_op, binary_op = np.sum, relax.op.sum, relax.op.add


def _limit(bound: relax.Expr | None) -> float | None:
    """A constant bound of Clip; None where there is none, which NaN means too."""
    value = float("nan") if bound is None else float(bound.value.numpy())
    return None if math.isnan(value) else value


@contextmanager
def importer_overrides() -> Iterator[None]:
    """Within it, TVM's importer uses the converters above."""
    converters = {**onnx_frontend._get_convert_map(), "Clip": _Clip, "Max": _Max, "Min": _Min, "Sum": _Sum}
    with mock.patch.object(onnx_frontend, "_get_convert_map", lambda: converters):
        yield
