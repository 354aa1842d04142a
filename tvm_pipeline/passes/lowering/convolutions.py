"""Convolutions and dense layers become kernels."""

from dataclasses import replace

import numpy as np
from tvm import relax

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import is_blockable, padded_channels
from tvm_pipeline.passes.dataflow import constant_of, four, pair, shape_of
from tvm_pipeline.passes.epilogue import Epilogue
from tvm_pipeline.passes.lowering.context import Lowering, constants
from tvm_pipeline.workloads.strassen_error import LARGEST_GROWTH, growth


def convolution_kind(weight_shape: tuple[int, ...], channels: int, call: relax.Call) -> str:
    """Which workload computes a convolution."""
    is_plain = pair(call.attrs.strides) == (1, 1) and four(call.attrs.padding) == (0, 0, 0, 0)
    return kind_of(weight_shape, channels, int(call.attrs.groups), is_plain=is_plain)


def kind_of(weight_shape: tuple[int, ...], channels: int, groups: int, *, is_plain: bool) -> str:
    """The same by the weights' shape, ``[C, K/G, kh, kw]``.

    :param is_plain: it has neither strides nor padding.
    """
    if groups == 1:
        return "pointwise" if weight_shape[2:] == (1, 1) and is_plain and is_blockable(channels) else "conv2d"
    return "depthwise" if groups == channels == weight_shape[0] else "grouped_conv2d"


def lower_conv2d(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    data, weight = call.args[0], constant_of(call.args[1])
    if weight is None or weight.dtype != np.float32 or call.attrs.data_layout != "NCHW":
        return False
    channels = shape_of(data)[1]
    kind = convolution_kind(weight.shape, channels, call)
    epilogue = lowering.match_epilogue(var, weight)
    layer = _layer_of(kind, shape_of(data), weight.shape, call, epilogue)
    if kind == "depthwise" and lower_separable(lowering, layer, data, epilogue):
        return True
    layer = preferred(lowering, layer, epilogue.affine.weight)
    lowering.finish_kernel(layer, [input_of(lowering, layer, data)], epilogue)
    return True


def preferred(lowering: Lowering, layer: Layer, weight: np.ndarray) -> Layer:
    """The layer as it is computed fastest; ``weight`` is the one that is packed, scales folded in."""
    is_large = layer.kind == "pointwise" and lowering.unit.strassen_pays(layer)
    return replace(layer, kind="strassen") if is_large and _is_safe_by_strassen(layer, weight) else layer


def _is_safe_by_strassen(layer: Layer, weight: np.ndarray) -> bool:
    """Whether the halves of the channels are of such magnitudes that sums of theirs keep the digits of each."""
    fillings = (padded_channels(layer.out_channels), padded_channels(layer.in_channels))
    matrix = weight[:, :, 0, 0]
    filled = np.pad(matrix, [(0, size - extent) for size, extent in zip(fillings, matrix.shape, strict=True)])
    return growth(filled) <= LARGEST_GROWTH


def input_of(lowering: Lowering, layer: Layer, data: relax.Var) -> relax.Expr:
    """What a convolution's kernel reads: blocks, or planes where channels fill none."""
    takes_planes = layer.kind == "conv2d" and not is_blockable(layer.in_channels)
    return lowering.plain_value(data) if takes_planes else lowering.blocked_value(data)


def _layer_of(
    kind: str, shape: tuple[int, ...], weight_shape: tuple[int, ...], call: relax.Call, epilogue: Epilogue
) -> Layer:
    batch, channels, height, width = shape
    return Layer(
        kind=kind,
        batch=batch,
        height=height,
        width=width,
        in_channels=channels,
        out_channels=weight_shape[0],
        kernel=(weight_shape[2], weight_shape[3]),
        stride=pair(call.attrs.strides),
        padding=four(call.attrs.padding),
        dilation=pair(call.attrs.dilation),
        epilogue=epilogue.names,
        groups=int(call.attrs.groups) if kind == "grouped_conv2d" else 1,
    )


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
    if not lowering.unit.fuses(layer):
        return False
    operands = [lowering.blocked_value(data), *constants(layer.depthwise_part, between.affine, lowering.unit)]
    lowering.fused.update((*between.inside, between.result))
    lowering.finish_kernel(layer, operands, epilogue)
    return True
