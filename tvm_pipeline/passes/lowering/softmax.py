"""Softmax along any axis becomes one kernel, over channels of blocked activations as they lie."""

from math import prod

from tvm import relax

from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.passes.dataflow import operator_name, shape_of
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.workloads.softmax import Softmax, softmax

LABEL = "softmax/1"


def lower_softmax(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    data, shape = call.args[0], shape_of(call.args[0])
    if str(data.ty.dtype) != "float32" or 0 in shape or not shape:
        return False
    axis, is_log = int(call.attrs.axis) % len(shape), operator_name(call) == "relax.nn.log_softmax"
    if lowering.is_blocked(data) and axis == 1:
        blocks, lanes = blocks_and_lanes(shape[1])
        layer = Softmax((shape[0], blocks, prod(shape[2:]), lanes), shape[1], is_log, lowering.dtype)
        lowering.blocked[var] = lowering.emit_workload(softmax(layer), layer.name, [lowering.operand(data)], LABEL)
        return True
    layer = Softmax((prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]), 1), shape[axis], is_log)
    flat = lowering.builder.emit(relax.op.reshape(lowering.plain_value(data), layer.shape))
    result = lowering.emit_workload(softmax(layer), layer.name, [flat], LABEL)
    lowering.plain[var] = lowering.builder.emit(relax.op.reshape(result, shape))
    return True
