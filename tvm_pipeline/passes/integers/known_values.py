"""Weights and biases that are spelled as ``dequantize`` of a constant become constants, where no layer of whole numbers
takes them as they are."""

import numpy as np
import tvm
from tvm import relax

from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.dataflow import Dataflow, constant_of
from tvm_pipeline.passes.integers.layers import convolution_kind, dense_weights
from tvm_pipeline.passes.rebuild import rebuild


def known_values(module: tvm.IRModule, unit: Unit) -> tvm.IRModule:
    """Computes every ``dequantize`` of a constant but those of weights that the unit multiplies as bytes."""
    flow = Dataflow(module["main"])
    kept = _weights_of_layers(flow) if unit.multiplies_bytes else set()

    def visit(builder: relax.BlockBuilder, var: relax.Var, value: relax.Expr) -> relax.Expr:
        known = None if var in kept else _folded(value)
        return builder.emit(value) if known is None else known

    return rebuild(module, visit) if any(_folded(call) is not None for _, call in flow.bindings) else module


def _weights_of_layers(flow: Dataflow) -> set[relax.Var]:
    kept: set[relax.Var] = set()
    for var, call in flow.bindings:
        if flow.call(var, "relax.nn.conv2d") is not None and convolution_kind(flow, call) is not None:
            kept.add(call.args[1])
        if flow.call(var, "relax.matmul") is not None and dense_weights(flow, call) is not None:
            kept.add(flow.producer[call.args[1]].args[0])
    return kept


def _folded(call: relax.Expr) -> relax.Expr | None:
    if not isinstance(call, relax.Call) or getattr(call.op, "name", "") != "relax.dequantize":
        return None
    values, scale, zero = map(constant_of, call.args)
    if values is None or scale is None or zero is None:
        return None
    shape = [1] * values.ndim
    if scale.size > 1:
        shape[int(call.attrs.axis) % values.ndim] = scale.size
    centred = values.astype(np.int64) - zero.astype(np.int64).reshape(shape if zero.size > 1 else [1] * values.ndim)
    return relax.const((centred.astype(np.float32) * scale.reshape(shape)).astype(np.float32))
