"""Pixels of blocked activations chosen by a table: what Resize is made of."""

import numpy as np
from tvm import relax

from tvm_pipeline.passes.dataflow import constant_of, shape_of
from tvm_pipeline.passes.lowering.context import Lowering


def lower_take(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Rows or columns by constant indices: whole blocks of channels, each wherever it lies."""
    data, table = call.args[0], constant_of(call.args[1])
    axis = None if call.attrs.axis is None else int(call.attrs.axis)
    if table is None or table.ndim != 1 or axis not in (2, 3) or not lowering.is_blocked(data):
        return False
    height, width = shape_of(data)[2:]
    pixels = np.arange(height * width, dtype=np.int32).reshape(height, width)
    chosen = relax.const(pixels.take(table, axis=axis - 2).reshape(-1))
    lowering.blocked[var] = lowering.builder.emit(relax.op.take(lowering.blocked[data], chosen, axis=2))
    return True
