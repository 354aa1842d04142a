"""Pooling of blocked activations becomes kernels."""

from math import prod

import numpy as np
from tvm import relax

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.passes.dataflow import four, operator_name, pair, shape_of
from tvm_pipeline.passes.lowering.context import Lowering

_MOST_TAPS = 256
"""Of a maximum's kernel, which unrolls its window; a larger one is a plain reduction."""


def lower_mean(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """The mean over height and width of a blocked activation: global average pooling."""
    data = call.args[0]
    shape = shape_of(data)
    if len(shape) != 4 or not lowering.is_blocked(data):
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
        lowering.book_flat(var, result, channels)


def lower_pool(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Max and average pooling of blocked activations; a window as large as the image is global pooling."""
    data = call.args[0]
    if not lowering.is_blocked(data):
        return False
    is_average = operator_name(call) == "relax.nn.avg_pool2d"
    if is_average and bool(call.attrs.ceil_mode) and bool(call.attrs.count_include_pad):
        return False
    layer = _pool_layer("average_pool" if is_average else "max_pool", call)
    kernel, padding = layer.kernel, layer.padding
    if not is_average and prod(kernel) > _MOST_TAPS:
        return False
    if is_average and kernel == shape_of(data)[2:] and not any(padding):
        _global_pool(lowering, var, data, keepdims=True)
        return True
    counts = _counts(layer)
    if is_average and (counts == 0).any():
        return False  # windows of nothing but padding
    result = lowering.emit_kernel(layer, [lowering.blocked_value(data)])
    if is_average and any(padding) and not bool(call.attrs.count_include_pad):
        correction = (prod(kernel) / counts).reshape(1, 1, -1, 1).astype(lowering.dtype)
        result = lowering.builder.emit(
            relax.op.multiply(lowering.cast(result, lowering.dtype), relax.const(correction))
        )
    lowering.blocked[var] = result
    return True


def max_pool_layer(call: relax.Call) -> Layer:
    """Max pooling as a layer, with as many windows as the operator's rounding makes."""
    return _pool_layer("max_pool", call)


def _pool_layer(kind: str, call: relax.Call) -> Layer:
    batch, channels, height, width = shape_of(call.args[0])
    padding = _padding_of_ceil_mode(call) if bool(call.attrs.ceil_mode) else four(call.attrs.padding)
    attrs = call.attrs
    shapes = (pair(attrs.pool_size), pair(attrs.strides), padding, pair(attrs.dilation))
    return Layer(kind, batch, height, width, channels, channels, *shapes)


def _counts(layer: Layer) -> np.ndarray:
    """``[OH, OW]``: how many values of the image each window meets."""
    sides = []
    for axis, (size, outputs) in enumerate(((layer.height, layer.out_height), (layer.width, layer.out_width))):
        first = np.arange(outputs)[:, None] * layer.stride[axis] - layer.padding[axis]
        taps = first + np.arange(layer.kernel[axis]) * layer.dilation[axis]
        sides.append(((taps >= 0) & (taps < size)).sum(1))
    return np.asarray(np.multiply.outer(*sides))


def _padding_of_ceil_mode(call: relax.Call) -> tuple[int, int, int, int]:
    """The padding that rounds down to as many windows as ``ceil_mode`` rounds up to; a border is never the largest."""
    top, left, bottom, right = four(call.attrs.padding)
    sizes, stride, window = shape_of(call.args[0])[2:], pair(call.attrs.strides), pair(call.attrs.pool_size)
    dilation = pair(call.attrs.dilation)
    ends = []
    for axis, (before, after) in enumerate(((top, bottom), (left, right))):
        covered = (shape_of(call)[2 + axis] - 1) * stride[axis] + (window[axis] - 1) * dilation[axis] + 1
        ends.append(max(after, covered - sizes[axis] - before))
    return top, left, ends[0], ends[1]
