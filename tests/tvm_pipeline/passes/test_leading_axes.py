"""Reshapes around dense layers go; others stay."""

from __future__ import annotations

import numpy as np
import tvm
from tvm import relax

from tvm_pipeline.passes.leading_axes import keep_leading_axes


def _module(shape: tuple[int, ...], rows: tuple[int, int], behind: tuple[int, ...]) -> tvm.IRModule:
    """``shape`` -> ``rows`` x a matrix + a row -> ReLU -> ``behind``."""
    builder = relax.BlockBuilder()
    data = relax.Var("data", relax.TensorType(shape, "float32"))
    weight = relax.const(np.ones((rows[1], 6), np.float32))
    with builder.function("main", [data]):
        with builder.dataflow():
            flat = builder.emit(relax.op.reshape(data, rows))
            product = builder.emit(relax.op.matmul(flat, weight))
            biased = builder.emit(relax.op.add(product, relax.const(np.ones((1, 6), np.float32))))
            result = builder.emit(relax.op.nn.relu(biased))
            output = builder.emit_output(relax.op.reshape(result, behind))
        builder.emit_func_output(output)
    return builder.get()


def test_a_dense_layer_keeps_its_leading_axes() -> None:
    text = keep_leading_axes(_module((2, 5, 4), (10, 4), (2, 5, 6))).script()
    assert "R.reshape" not in text and "R.Tensor((2, 5, 6)" in text


def test_a_reshape_that_changes_the_columns_stays() -> None:
    text = keep_leading_axes(_module((5, 2, 4), (5, 8), (5, 2, 3))).script()
    assert text.count("R.reshape") == 2
