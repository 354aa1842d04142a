"""What depends on constants alone is computed at compile time, rightly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tvm
from tvm import ir, relax

from tvm_pipeline.passes.dataflow import constant_of
from tvm_pipeline.passes.fold_constants import fold_constants

RANDOM = np.random.default_rng(0)
MATRIX = (RANDOM.standard_normal((2, 3, 1)) + 3).astype(np.float32)
SCALAR = np.float32(2.5)

EXPRESSIONS: dict[str, tuple[Callable[[], relax.Expr], np.ndarray | np.floating]] = {
    "reshape": (lambda: relax.op.reshape(relax.const(MATRIX), (3, 2)), MATRIX.reshape(3, 2)),
    "permute_dims": (lambda: relax.op.permute_dims(relax.const(MATRIX), (2, 0, 1)), MATRIX.transpose(2, 0, 1)),
    "permute_dims of all": (lambda: relax.op.permute_dims(relax.const(MATRIX)), MATRIX.transpose()),
    "expand_dims": (lambda: relax.op.expand_dims(relax.const(MATRIX), [0, 2]), np.expand_dims(MATRIX, (0, 2))),
    "squeeze": (lambda: relax.op.squeeze(relax.const(MATRIX), [2]), MATRIX[..., 0]),
    "squeeze of all": (lambda: relax.op.squeeze(relax.const(MATRIX)), MATRIX[..., 0]),
    "add": (lambda: relax.op.add(relax.const(MATRIX), relax.const(SCALAR)), MATRIX + SCALAR),
    "subtract": (lambda: relax.op.subtract(relax.const(SCALAR), relax.const(MATRIX)), SCALAR - MATRIX),
    "multiply": (lambda: relax.op.multiply(relax.const(MATRIX), relax.const(MATRIX)), MATRIX * MATRIX),
    "multiply of scalars": (lambda: relax.op.multiply(relax.const(SCALAR), relax.const(SCALAR)), SCALAR * SCALAR),
    "divide": (lambda: relax.op.divide(relax.const(MATRIX), relax.const(SCALAR)), MATRIX / SCALAR),
    "sqrt": (lambda: relax.op.sqrt(relax.const(MATRIX)), np.sqrt(MATRIX)),
    "rsqrt": (lambda: relax.op.rsqrt(relax.const(MATRIX)), 1 / np.sqrt(MATRIX)),
    "negative": (lambda: relax.op.negative(relax.const(SCALAR)), -SCALAR),
    "isnan": (lambda: relax.op.isnan(relax.const(np.float32("nan"))), np.array(True)),
    "where": (
        lambda: relax.op.where(relax.const(MATRIX > 3), relax.const(MATRIX), relax.const(SCALAR)),
        np.where(MATRIX > 3, MATRIX, SCALAR),
    ),
}


def _function(expression: Callable[[], relax.Expr]) -> tvm.IRModule:
    builder = relax.BlockBuilder()
    with builder.function("main", []):
        with builder.dataflow():
            output = builder.emit_output(builder.emit(expression()))
        builder.emit_func_output(output)
    return builder.get()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_constant_expression_becomes_its_value(name: str) -> None:
    expression, expected = EXPRESSIONS[name]
    folded = fold_constants(_function(expression))["main"]
    values = [binding.value for block in folded.body.blocks for binding in block.bindings]
    assert not any(isinstance(value, relax.Call) for value in values)
    found = constant_of(next(value for value in values if isinstance(value, ir.GenericConst)))
    assert found is not None
    assert found.shape == np.shape(expected)
    assert found.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_depends_on_an_input_is_kept() -> None:
    builder = relax.BlockBuilder()
    data = relax.Var("data", relax.TensorType([2, 3, 1], "float32"))
    with builder.function("main", [data]):
        with builder.dataflow():
            shift = builder.emit(relax.op.negative(relax.const(MATRIX)))
            output = builder.emit_output(builder.emit(relax.op.add(data, shift)))
        builder.emit_func_output(output)
    folded = fold_constants(builder.get())["main"]
    calls = [one.value for block in folded.body.blocks for one in block.bindings if isinstance(one.value, relax.Call)]
    assert [call.op.name for call in calls] == ["relax.add"]
    np.testing.assert_array_equal(constant_of(calls[0].args[1]), -MATRIX)
