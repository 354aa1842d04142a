"""Operations on elements, and on shapes, that are done on blocked activations as they lie."""

import numpy as np
from tvm import relax

from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.passes.dataflow import constant_of, operator_name, scalar_of, shape_of
from tvm_pipeline.passes.epilogue import per_channel
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.workloads.workload import DTYPE


def lower_unary(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """An operation on every element alone: the layout does not matter to it."""
    data = call.args[0]
    if not lowering.is_blocked(data):
        return False
    arguments = [lowering.operand(data), *call.args[1:]]
    lowering.blocked[var] = lowering.builder.emit(relax.Call(call.op, arguments, call.attrs, call.ty_args))
    return True


def lower_unary_of_whole_blocks(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """One that is infinite or NaN of what fills blocks up: no weight of zero stops that."""
    shape = shape_of(var)
    return len(shape) == 4 and padded_channels(shape[1]) == shape[1] and lower_unary(lowering, var, call)


def lower_binary(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """An operation on two blocked activations (one may be ``[N, C, 1, 1]``), or on one and a constant per channel or
    per pixel."""
    if len(shape_of(var)) != 4 or not any(map(lowering.is_blocked, call.args)):
        return False
    divisor_is_filled = padded_channels(shape_of(var)[1]) != shape_of(var)[1] and isinstance(call.args[1], relax.Var)
    if operator_name(call) == "relax.divide" and divisor_is_filled:
        return False  # 0 / 0 is the one value that a weight of zero does not stop
    operands = [_blocked_operand(lowering, operand, shape_of(var)) for operand in call.args]
    if None in operands:
        return False
    lowering.blocked[var] = lowering.builder.emit(relax.Call(call.op, operands, call.attrs, call.ty_args))
    return True


def _blocked_operand(lowering: Lowering, operand: relax.Expr, shape: tuple[int, ...]) -> relax.Expr | None:
    if isinstance(operand, relax.Var):
        own = shape_of(operand)
        fits = own == shape or own == (*shape[:2], 1, 1)
        return lowering.operand(operand) if fits and is_blockable(shape[1]) else None
    scalar = scalar_of(operand)
    if scalar is not None:
        return operand if lowering.dtype == DTYPE else relax.const(scalar, lowering.dtype)
    value = per_channel(operand, shape)
    if value is None:
        return _per_pixel(lowering, operand, shape)
    filled = np.pad(value, (0, padded_channels(shape[1]) - shape[1]), constant_values=1)
    return relax.const(filled.reshape(1, -1, 1, channel_block(shape[1])).astype(lowering.dtype))


def _per_pixel(lowering: Lowering, operand: relax.Expr, shape: tuple[int, ...]) -> relax.Expr | None:
    """``[1, 1, H*W, 1]`` of a constant that is the same for all channels, an interpolation's weights, say."""
    value = constant_of(operand)
    if value is None or value.dtype != np.float32 or value.ndim != 4 or value.shape[:2] != (1, 1):
        return None
    pixels = np.broadcast_to(value[0, 0], shape[2:]).reshape(1, 1, -1, 1)
    return relax.const(np.ascontiguousarray(pixels).astype(lowering.dtype))


def lower_concat(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Blocked activations side by side, where all have the result's block size and none but the last is filled up."""
    fields = list(call.args[0].fields) if isinstance(call.args[0], relax.Tuple) else []
    shape = shape_of(var)
    if len(shape) != 4 or int(call.attrs.axis) not in (1, -3):
        return False
    sizes = {channel_block(shape_of(field)[1]) for field in fields if is_blockable(shape_of(field)[1])}
    is_whole = all(padded_channels(shape_of(field)[1]) == shape_of(field)[1] for field in fields[:-1])
    if not fields or not all(map(lowering.is_blocked, fields)) or not is_whole or sizes != {channel_block(shape[1])}:
        return False
    lowering.blocked[var] = lowering.builder.emit(
        relax.op.concat([lowering.blocked_value(field) for field in fields], axis=1)
    )
    return True


def lower_reshape(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """``[N, C, 1, 1]`` -> ``[N, C]``: the same order in memory, blocked or not."""
    data = call.args[0]
    if not lowering.is_blocked(data):
        return False
    shape = shape_of(data)
    if shape[2:] != (1, 1) or shape_of(var) != shape[:2]:
        return False
    lowering.book_flat(var, lowering.blocked[data], shape[1])
    return True
