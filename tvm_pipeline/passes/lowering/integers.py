"""Layers of quantised networks become kernels of bytes; what lies between computes in float32, as the file says."""

from collections.abc import Callable

import numpy as np
from tvm import relax, te, tirx, topi

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes, padded_channels
from tvm_pipeline.passes.dataflow import four, pair, scalar_of, shape_of
from tvm_pipeline.passes.integers.layers import (
    Bytes,
    End,
    Weights,
    bytes_of,
    convolution_kind,
    dense_weights,
    end_of,
    weights_of,
)
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.passes.lowering.pack import pack_bias, pack_weight
from tvm_pipeline.workloads.int8.layers import DOT_PRODUCTS
from tvm_pipeline.workloads.workload import DTYPE

_HIGHEST = 255
_MOST = 2**31 - 1


def lower_convolution_of_bytes(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """A convolution between ``dequantize`` and ``quantize``, as one kernel."""
    kind = convolution_kind(lowering.flow, call) if lowering.unit.multiplies_bytes else None
    source, weights = bytes_of(lowering.flow, call.args[0]), weights_of(lowering.flow, call.args[1])
    if kind is None or source is None or weights is None:
        return False
    end = end_of(lowering.flow, var)
    batch, channels, height, width = shape_of(source.data)
    layer = Layer(
        kind=kind,
        batch=batch,
        height=height,
        width=width,
        in_channels=channels,
        out_channels=weights.values.shape[0],
        kernel=(weights.values.shape[2], weights.values.shape[3]),
        stride=pair(call.attrs.strides),
        padding=four(call.attrs.padding),
        dilation=pair(call.attrs.dilation),
        epilogue=_epilogue(end),
        dtype="int8",
    )
    operands = _constants(lowering, layer, source, weights, end)
    if operands is None:
        return False
    data = lowering.plain_value(source.data) if kind == "conv2d" else lowering.as_made(source.data)
    lowering.blocked[end.result] = lowering.emit_kernel(layer, [data, *operands])
    lowering.fused.update(end.inside)
    return True


def lower_dense_of_bytes(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """A dense layer of bytes, as a pointwise one of one pixel."""
    weights = dense_weights(lowering.flow, call) if lowering.unit.multiplies_bytes else None
    source = bytes_of(lowering.flow, call.args[0])
    if weights is None or source is None:
        return False
    end = end_of(lowering.flow, var)
    batch, channels = shape_of(source.data)
    layer = Layer("pointwise", batch, 1, 1, channels, weights.values.shape[0], epilogue=_epilogue(end), dtype="int8")
    operands = _constants(lowering, layer, source, weights, end)
    if operands is None:
        return False
    result = lowering.emit_kernel(layer, [_one_pixel(lowering, source.data), *operands])
    lowering.book_flat(end.result, result, layer.out_channels)
    lowering.fused.update(end.inside)
    return True


def lower_quantize(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Blocked or flat float32 values to bytes: ``clip(rint(x / scale) + zero)``, rounding half to even."""
    scale, zero = map(scalar_of, call.args[1:3])
    if scale is None or zero is None or str(var.ty.dtype) != "uint8":
        return False

    def quantised(values: te.Tensor) -> te.Tensor:
        def at(*index):  # type: ignore[no-untyped-def]
            whole = tirx.nearbyint(values(*index) / tirx.const(scale, DTYPE)) + tirx.const(zero, DTYPE)
            inside = tirx.max(tirx.min(whole, tirx.const(_HIGHEST, DTYPE)), tirx.const(0, DTYPE))
            return inside.astype("int32").astype("uint8")

        return te.compute(values.shape, at, name="quantised", tag=topi.tag.ELEMWISE)

    return _elementwise(lowering, var, call.args[0], quantised)


def lower_dequantize(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Blocked or flat bytes to float32: ``(byte - zero) * scale``."""
    source = bytes_of(lowering.flow, call)
    if source is None:
        return False
    zero, scale = tirx.const(source.zero, DTYPE), tirx.const(source.scale, DTYPE)

    def numbers(values: te.Tensor) -> te.Tensor:
        return te.compute(
            values.shape,
            lambda *index: (values(*index).astype(DTYPE) - zero) * scale,
            name="dequantised",
            tag=topi.tag.ELEMWISE,
        )

    return _elementwise(lowering, var, source.data, numbers)


def _elementwise(
    lowering: Lowering, var: relax.Var, data: relax.Expr, compute: Callable[[te.Tensor], te.Tensor]
) -> bool:
    """On a value as it lies; False where it lies plainly."""
    for place in (lowering.blocked, lowering.flat):
        if isinstance(data, relax.Var) and data in place:
            value = place[data] if str(data.ty.dtype) != DTYPE else lowering.cast(place[data], DTYPE)
            place[var] = lowering.builder.emit_te(compute, value)
            return True
    return False


def _epilogue(end: End) -> tuple[str, ...]:
    return ("requantise",) if end.scale is not None else ("dequantise",)


def _constants(lowering: Lowering, layer: Layer, source: Bytes, weights: Weights, end: End) -> list[relax.Expr] | None:
    """What a kernel takes behind its data; None where a bias, or a sum with it, might not fit into an int32."""
    per_step = np.float64(source.scale) * weights.scale.astype(np.float64)
    bias = np.zeros(layer.out_channels) if end.bias is None else np.rint(end.bias.astype(np.float64) / per_step)
    kernel = lowering.unit.kernel_kind(layer)
    if kernel in DOT_PRODUCTS:
        zero = source.zero - lowering.unit.taken_off_bytes
        bias = bias - zero * weights.values.astype(np.int64).sum(axis=(1, 2, 3))
    largest = _HIGHEST * np.abs(weights.values.astype(np.int64)).sum(axis=(1, 2, 3))
    if (np.abs(bias) + largest).max() > _MOST:
        return None
    scale = per_step if end.scale is None else per_step / end.scale
    values = weights.values if kernel in DOT_PRODUCTS else weights.values.astype(DTYPE)
    arrays = (
        pack_weight(layer, values, lowering.unit),
        pack_bias(layer, bias.astype(np.int32)),
        pack_bias(layer, scale.astype(DTYPE)),
        np.array([source.zero, end.zero, end.low, end.high], np.int32),
    )
    return [relax.const(array) for array in arrays]


def _one_pixel(lowering: Lowering, var: relax.Var) -> relax.Expr:
    """``[N, K]`` -> ``[N, K/b, 1, b]``."""
    batch, channels = shape_of(var)
    value = lowering.flat[var] if var in lowering.flat else lowering.plain_value(var)
    if padded_channels(channels) != channels:
        value = lowering.builder.emit(relax.op.nn.pad(value, (0, 0, 0, padded_channels(channels) - channels)))
    blocks, lanes = blocks_and_lanes(channels)
    return lowering.builder.emit(relax.op.reshape(value, (batch, blocks, 1, lanes)))
