"""Convolutions and dense layers become kernels."""

from dataclasses import replace

import numpy as np
from tvm import relax

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.passes.blocked_layout import Lowering, constants
from tvm_pipeline.passes.dataflow import constant_of, shape_of
from tvm_pipeline.passes.epilogue import Epilogue
from tvm_pipeline.passes.operator_attributes import four, pair
from tvm_pipeline.schedules.generator import Unit
from tvm_pipeline.schedules.gpu.separable import fused_on_gpu
from tvm_pipeline.workloads.channel_block import is_blockable
from tvm_pipeline.workloads.strassen import is_divisible

FUSED_WEIGHT_BYTES = 256 * 1024
"""A separable kernel reads its pointwise weights once per stripe: so many stay in any second-level cache."""

STRASSEN_CHANNELS = 192
"""In and out: with fewer, making and joining the sums costs what an eighth of the multiply-adds is worth."""

STRASSEN_LANES = 16
"""With AVX2's 16 registers halves of 98 pixels make poor tiles: 14x14x512->512 takes 1187 us, not 998 (Zen 4)."""

STRASSEN_PIXELS = 64
"""With 49 the weights, three quarters more than those of a plain product, come too slowly from memory."""


def convolution_kind(weight_shape: tuple[int, ...], channels: int, call: relax.Call) -> str | None:
    """Which workload computes a convolution: None where there is none (other groups, channels that fill no block)."""
    groups = int(call.attrs.groups)
    if groups == 1:
        plain = pair(call.attrs.strides) == (1, 1) and four(call.attrs.padding) == (0, 0, 0, 0)
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
        stride=pair(call.attrs.strides),
        padding=four(call.attrs.padding),
        dilation=pair(call.attrs.dilation),
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
