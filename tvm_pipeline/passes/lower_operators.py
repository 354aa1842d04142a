"""How each Relax operator becomes a kernel or an operation on blocked activations."""

from dataclasses import replace

import numpy as np
from tvm import relax

from tvm_pipeline.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.gpu_unit import GpuUnit
from tvm_pipeline.layer import Layer
from tvm_pipeline.passes.blocked_layout import Handler, Lowering, constants
from tvm_pipeline.passes.dataflow import constant_of, operator_name, scalar_of, shape_of
from tvm_pipeline.passes.epilogue import Epilogue, per_channel
from tvm_pipeline.schedules.generator import Unit
from tvm_pipeline.schedules.gpu.separable import fused_on_gpu
from tvm_pipeline.workloads.strassen import is_divisible
from tvm_pipeline.workloads.workload import DTYPE

FUSED_WEIGHT_BYTES = 256 * 1024
"""A separable kernel reads its pointwise weights once per stripe: so many stay in any second-level cache."""

STRASSEN_CHANNELS = 192
"""In and out: with fewer, making and joining the sums costs what an eighth of the multiply-adds is worth."""

STRASSEN_LANES = 16
"""With AVX2's 16 registers halves of 98 pixels make poor tiles: 14x14x512->512 takes 1187 us, not 998 (Zen 4)."""

STRASSEN_PIXELS = 64
"""With 49 the weights, three quarters more than those of a plain product, come too slowly from memory."""


def _pair(values: object) -> tuple[int, int]:
    first, *rest = [int(value) for value in values]  # type: ignore[attr-defined]
    return first, rest[0] if rest else first


def _four(values: object) -> tuple[int, int, int, int]:
    sides = [int(value) for value in values]  # type: ignore[attr-defined]
    top, left, bottom, right = sides * 4 if len(sides) == 1 else sides * 2 if len(sides) == 2 else sides
    return top, left, bottom, right


def convolution_kind(weight_shape: tuple[int, ...], channels: int, call: relax.Call) -> str | None:
    """Which workload computes a convolution: None where there is none (other groups, channels that fill no block)."""
    groups = int(call.attrs.groups)
    if groups == 1:
        plain = _pair(call.attrs.strides) == (1, 1) and _four(call.attrs.padding) == (0, 0, 0, 0)
        return "pointwise" if weight_shape[2:] == (1, 1) and plain and is_blockable(channels) else "conv2d"
    is_depthwise = groups == channels == weight_shape[0]
    return "depthwise" if is_depthwise and is_blockable(channels) else None


def lower_conv2d(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    data, weight = call.args[0], constant_of(call.args[1])
    if weight is None or weight.dtype != np.float32 or call.attrs.data_layout != "NCHW":
        return False
    batch, channels, height, width = shape_of(data)
    kind = convolution_kind(weight.shape, channels, call)
    if kind is None:
        return False
    epilogue = lowering.match_epilogue(var, weight)
    layer = Layer(
        kind=kind,
        batch=batch,
        height=height,
        width=width,
        in_channels=channels,
        out_channels=weight.shape[0],
        kernel=(weight.shape[2], weight.shape[3]),
        stride=_pair(call.attrs.strides),
        padding=_four(call.attrs.padding),
        dilation=_pair(call.attrs.dilation),
        epilogue=epilogue.names,
    )
    if kind == "depthwise" and lower_separable(lowering, layer, data, epilogue):
        return True
    if kind == "pointwise" and strassen_pays(layer, lowering.unit):
        layer = replace(layer, kind="strassen")
    value = lowering.blocked_value(data) if is_blockable(channels) else lowering.plain_value(data)
    lowering.finish_kernel(layer, [value], epilogue)
    return True


def strassen_pays(layer: Layer, unit: Unit) -> bool:
    """Whether a pointwise layer is faster with an eighth fewer multiply-adds and some sums more."""
    if isinstance(unit, GpuUnit):
        return False  # its sums cost launches and traffic, and a GPU has multiply-adds to spare
    is_large = min(layer.in_channels, layer.out_channels) >= STRASSEN_CHANNELS
    is_worth_it = is_large and layer.height * layer.width >= STRASSEN_PIXELS and is_divisible(layer)
    return is_worth_it and unit.lanes >= STRASSEN_LANES


def lower_separable(lowering: Lowering, first: Layer, data: relax.Var, between: Epilogue) -> bool:
    """A depthwise layer with the pointwise one that alone reads it, as one kernel; False where that does not pay."""
    var = lowering.flow.only_user(between.result)
    call = lowering.flow.call(var, "relax.nn.conv2d") if var is not None else None
    weight = constant_of(call.args[1]) if call is not None else None
    if weight is None or weight.dtype != np.float32 or between.residual is not None:
        return False
    if convolution_kind(weight.shape, first.out_channels, call) != "pointwise" or not is_blockable(weight.shape[0]):
        return False
    epilogue = lowering.match_epilogue(var, weight)
    layer = replace(
        first,
        kind="separable",
        out_channels=weight.shape[0],
        epilogue=epilogue.names,
        inner_epilogue=first.epilogue,
    )
    if not separable_pays(layer, lowering.unit):
        return False
    operands = [lowering.blocked_value(data), *constants(layer.depthwise_part, between.affine, lowering.dtype)]
    lowering.fused.update((*between.inside, between.result))
    lowering.finish_kernel(layer, operands, epilogue)
    return True


def separable_pays(layer: Layer, unit: Unit) -> bool:
    """Whether the two halves are faster as one kernel."""
    if isinstance(unit, GpuUnit):
        return fused_on_gpu(layer, unit)
    weight_bytes = layer.in_channels * layer.out_channels * 4
    return weight_bytes <= FUSED_WEIGHT_BYTES and not strassen_pays(layer.pointwise_part, unit)


def lower_matmul(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """``[N, K] x [K, C]`` with constant weights: a dense layer."""
    data, weight = call.args[0], constant_of(call.args[1])
    if weight is None or weight.ndim != 2 or weight.dtype != np.float32 or len(shape_of(data)) != 2:
        return False
    epilogue = lowering.match_epilogue(var, np.ascontiguousarray(weight.T))
    layer = Layer("dense", shape_of(data)[0], 1, 1, weight.shape[0], weight.shape[1], epilogue=epilogue.names)
    lowering.finish_kernel(layer, [_flat_value(lowering, data)], epilogue)
    return True


def _flat_value(lowering: Lowering, data: relax.Expr) -> relax.Expr:
    """``[N, K]`` in the unit's dtype."""
    if isinstance(data, relax.Var) and data in lowering.flat:
        return lowering.flat[data]
    return lowering.cast(lowering.plain_value(data), lowering.dtype)


def lower_mean(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """The mean over height and width of a blocked activation: global average pooling."""
    data = call.args[0]
    shape = shape_of(data)
    if len(shape) != 4 or not isinstance(data, relax.Var) or data not in lowering.blocked:
        return False
    axes = sorted(int(axis) % 4 for axis in (call.attrs.axis or range(4)))
    if axes != [2, 3]:
        return False
    _global_pool(lowering, var, data, keepdims=bool(call.attrs.keepdims))
    return True


def _global_pool(lowering: Lowering, var: relax.Var, data: relax.Var, keepdims: bool) -> None:
    batch, channels, height, width = shape_of(data)
    layer = Layer("global_average_pool", batch, height, width, channels, channels, kernel=(height, width))
    result = lowering.emit_kernel(layer, [lowering.blocked_value(data)])
    if keepdims:
        lowering.blocked[var] = result
    else:
        whole = lowering.builder.emit(relax.op.reshape(result, (batch, padded_channels(channels))))
        lowering.flat[var] = lowering.builder.emit(_first_channels(whole, channels))


def _first_channels(value: relax.Expr, channels: int) -> relax.Expr:
    """``[N, C']`` -> ``[N, C]``: drops what only fills the last block."""
    return value if shape_of(value)[1] == channels else relax.op.strided_slice(value, [1], [0], [channels])


def lower_pool(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Max and average pooling of blocked activations; a window as large as the image is global pooling."""
    data = call.args[0]
    if not isinstance(data, relax.Var) or data not in lowering.blocked:
        return False
    batch, channels, height, width = shape_of(data)
    is_average = operator_name(call) == "relax.nn.avg_pool2d"
    padding, dilation = _four(call.attrs.padding), _pair(call.attrs.dilation)
    if bool(call.attrs.ceil_mode):
        if is_average:
            return False
        padding = _padding_of_ceil_mode(var, call)
    if (is_average and dilation != (1, 1)) or (is_average and any(padding) and not bool(call.attrs.count_include_pad)):
        return False
    kernel = _pair(call.attrs.pool_size)
    if is_average and kernel == (height, width) and not any(padding):
        _global_pool(lowering, var, data, keepdims=True)
        return True
    kind = "average_pool" if is_average else "max_pool"
    layer = Layer(kind, batch, height, width, channels, channels, kernel, _pair(call.attrs.strides), padding, dilation)
    lowering.blocked[var] = lowering.emit_kernel(layer, [lowering.blocked_value(data)])
    return True


def _padding_of_ceil_mode(var: relax.Var, call: relax.Call) -> tuple[int, int, int, int]:
    """The padding that rounds down to as many windows as ``ceil_mode`` rounds up to; a border is never the largest."""
    top, left, bottom, right = _four(call.attrs.padding)
    sizes, stride, window = shape_of(call.args[0])[2:], _pair(call.attrs.strides), _pair(call.attrs.pool_size)
    dilation = _pair(call.attrs.dilation)
    ends = []
    for axis, (before, after) in enumerate(((top, bottom), (left, right))):
        covered = (shape_of(var)[2 + axis] - 1) * stride[axis] + (window[axis] - 1) * dilation[axis] + 1
        ends.append(max(after, covered - sizes[axis] - before))
    return top, left, ends[0], ends[1]


def lower_unary(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """An operation on every element alone: the layout does not matter to it."""
    data = call.args[0]
    if not isinstance(data, relax.Var) or data not in lowering.blocked:
        return False
    arguments = [lowering.blocked[data], *call.args[1:]]
    lowering.blocked[var] = lowering.builder.emit(relax.Call(call.op, arguments, call.attrs, call.ty_args))
    return True


def lower_binary(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """An operation on two blocked activations (one may be ``[N, C, 1, 1]``), or on one and a per-channel constant."""
    if len(shape_of(var)) != 4 or not any(isinstance(one, relax.Var) and one in lowering.blocked for one in call.args):
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
        return lowering.blocked_value(operand) if fits and is_blockable(shape[1]) else None
    scalar = scalar_of(operand)
    if scalar is not None:
        return operand if lowering.dtype == DTYPE else relax.const(scalar, lowering.dtype)
    value = per_channel(operand, shape)
    if value is None:
        return None
    filled = np.pad(value, (0, padded_channels(shape[1]) - shape[1]), constant_values=1)
    return relax.const(filled.reshape(1, -1, 1, channel_block(shape[1])).astype(lowering.dtype))


def lower_concat(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Blocked activations side by side, where all have the result's block size and none but the last is filled up."""
    fields = list(call.args[0].fields) if isinstance(call.args[0], relax.Tuple) else []
    shape = shape_of(var)
    if len(shape) != 4 or int(call.attrs.axis) not in (1, -3):
        return False
    sizes = {channel_block(shape_of(field)[1]) for field in fields if is_blockable(shape_of(field)[1])}
    all_blocked = all(isinstance(field, relax.Var) and field in lowering.blocked for field in fields)
    is_whole = all(padded_channels(shape_of(field)[1]) == shape_of(field)[1] for field in fields[:-1])
    if not fields or not all_blocked or not is_whole or sizes != {channel_block(shape[1])}:
        return False
    lowering.blocked[var] = lowering.builder.emit(
        relax.op.concat([lowering.blocked[field] for field in fields], axis=1)
    )
    return True


def lower_reshape(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """``[N, C, 1, 1]`` -> ``[N, C]``: the same order in memory, blocked or not."""
    data = call.args[0]
    if not isinstance(data, relax.Var) or data not in lowering.blocked:
        return False
    shape = shape_of(data)
    if shape[2:] != (1, 1) or shape_of(var) != shape[:2]:
        return False
    whole = lowering.builder.emit(relax.op.reshape(lowering.blocked[data], (shape[0], padded_channels(shape[1]))))
    lowering.flat[var] = lowering.builder.emit(_first_channels(whole, shape[1]))
    return True


_UNARY = (
    "relax.nn.relu",
    "relax.clip",
    "relax.sigmoid",
    "relax.tanh",
    "relax.nn.silu",
    "relax.nn.gelu",
    "relax.nn.leakyrelu",
)
_BINARY = ("relax.add", "relax.subtract", "relax.multiply", "relax.divide", "relax.maximum", "relax.minimum")

HANDLERS: dict[str, Handler] = {
    "relax.nn.conv2d": lower_conv2d,
    "relax.matmul": lower_matmul,
    "relax.mean": lower_mean,
    "relax.nn.max_pool2d": lower_pool,
    "relax.nn.avg_pool2d": lower_pool,
    "relax.concat": lower_concat,
    "relax.reshape": lower_reshape,
    "relax.squeeze": lower_reshape,
    **dict.fromkeys(_UNARY, lower_unary),
    **dict.fromkeys(_BINARY, lower_binary),
}
