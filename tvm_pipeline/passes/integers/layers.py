"""Recognises the layers of a quantised network that can be computed in whole numbers.

Such a layer stands between ``dequantize`` of unsigned bytes and, mostly, ``quantize``: ONNX's QDQ form.
"""

from dataclasses import dataclass

import numpy as np
from tvm import relax

from tvm_pipeline.hardware.channel_block import is_blockable
from tvm_pipeline.passes.dataflow import Dataflow, constant_of, four, operator_name, pair, scalar_of, shape_of
from tvm_pipeline.workloads.int8.layers import is_exact

_HIGHEST = 255


@dataclass(frozen=True)
class Bytes:
    """Unsigned bytes that stand for numbers: ``(byte - zero) * scale``."""

    data: relax.Var
    scale: float
    zero: int


@dataclass(frozen=True)
class Weights:
    """Signed bytes ``[C, K/G, kh, kw]`` with a scale for each of the C results."""

    values: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class End:
    """What lies behind a layer's sum: what it becomes part of.

    :ivar result: the last variable, bytes where there is a ``scale``, else float32.
    :ivar bias: of each result, float32; None for none.
    :ivar inside: variables that nobody else reads.
    """

    result: relax.Var
    inside: tuple[relax.Var, ...]
    bias: np.ndarray | None = None
    scale: float | None = None
    zero: int = 0
    low: int = 0
    high: int = _HIGHEST


def bytes_of(flow: Dataflow, value: relax.Expr) -> Bytes | None:
    """The unsigned bytes that a value is made of; None where it is made of something else, or has many scales."""
    call = flow.call(value, "relax.dequantize")
    if call is None or not isinstance(call.args[0], relax.Var) or str(call.args[0].ty.dtype) != "uint8":
        return None
    scale, zero = map(scalar_of, call.args[1:3])
    return None if scale is None or zero is None else Bytes(call.args[0], scale, int(zero))


def weights_of(flow: Dataflow, value: relax.Expr) -> Weights | None:
    """The signed bytes, symmetric about zero, that constant weights are made of."""
    call = flow.call(value, "relax.dequantize")
    if call is None:
        return None
    values, scale, zero = map(constant_of, call.args)
    if values is None or scale is None or zero is None or values.dtype != np.int8 or zero.any():
        return None
    if scale.size > 1 and int(call.attrs.axis) % values.ndim != 0:
        return None
    return Weights(values, np.broadcast_to(scale.reshape(-1), values.shape[:1]).astype(np.float32))


def convolution_kind(flow: Dataflow, call: relax.Call) -> str | None:
    """Which kernel of bytes computes a convolution; None where none does."""
    source, weights = bytes_of(flow, call.args[0]), weights_of(flow, call.args[1])
    if source is None or weights is None or len(shape_of(call.args[0])) != 4:
        return None
    shape, channels, groups = weights.values.shape, shape_of(call.args[0])[1], int(call.attrs.groups)
    is_plain = pair(call.attrs.strides) == (1, 1) and four(call.attrs.padding) == (0, 0, 0, 0)
    if not is_blockable(shape[0]):
        return None
    if groups == 1 and is_blockable(channels):
        return "pointwise" if shape[2:] == (1, 1) and is_plain else None
    is_one_of_each = groups == channels == shape[0]
    if not is_exact(int(np.prod(shape[1:]))) or not (groups == 1 or is_one_of_each):
        return None
    return "conv2d" if groups == 1 else "depthwise"


def dense_weights(flow: Dataflow, call: relax.Call) -> Weights | None:
    """The weights ``[C, K, 1, 1]`` of a product ``[N, K] x [K, C]`` of bytes."""
    turned = flow.call(call.args[1], "relax.permute_dims")
    weights = weights_of(flow, turned.args[0]) if turned is not None else None
    if weights is None or weights.values.ndim != 2 or bytes_of(flow, call.args[0]) is None:
        return None
    rows, columns = weights.values.shape
    is_wide = is_blockable(rows) and is_blockable(columns) and len(shape_of(call.args[0])) == 2
    return Weights(weights.values[:, :, None, None], weights.scale) if is_wide else None


def end_of(flow: Dataflow, var: relax.Var) -> End:
    """What follows a layer's sum, as far as one kernel can do it: a bias, ReLU or a clip, and ``quantize``.

    Without ``quantize`` it ends behind the bias.
    """
    end = _with_bias(flow, End(var, ()))
    low, high, last, inside = -np.inf, np.inf, end.result, list(end.inside)
    limits = _limits(flow, flow.only_user(last), last)
    if limits is not None:
        inside.append(last)
        last = flow.only_user(last)
        low, high = limits
    user = flow.only_user(last)
    call = flow.call(user, "relax.quantize") if user is not None else None
    if user is None or call is None or str(user.ty.dtype) != "uint8":
        return end
    scale, zero = map(scalar_of, call.args[1:3])
    if scale is None or zero is None:
        return end
    return End(user, (*inside, last), end.bias, scale, int(zero), *_in_bytes(low, high, scale, int(zero)))


def _with_bias(flow: Dataflow, end: End) -> End:
    user = flow.only_user(end.result)
    call = flow.call(user, "relax.add") if user is not None else None
    if call is None:
        return end
    other = call.args[1] if call.args[0].same_as(end.result) else call.args[0]
    bias, shape = constant_of(other), shape_of(user)
    if bias is None or bias.dtype != np.float32 or bias.size != shape[1]:
        return end
    is_per_channel = bias.shape[-1] == 1 or len(shape) == 2
    return End(user, (end.result,), bias.reshape(-1)) if is_per_channel else end


def _limits(flow: Dataflow, user: relax.Var | None, last: relax.Var) -> tuple[float, float] | None:
    call = flow.producer.get(user) if user is not None else None
    if not isinstance(call, relax.Call) or not call.args or not call.args[0].same_as(last):
        return None
    if operator_name(call) == "relax.nn.relu":
        return 0.0, np.inf
    if operator_name(call) != "relax.clip":
        return None
    low, high = map(scalar_of, call.args[1:3])
    return None if low is None or high is None else (low, high)


def _in_bytes(low: float, high: float, scale: float, zero: int) -> tuple[int, int]:
    """What a limit becomes where it is quantised: rounding keeps the order of numbers."""
    ends = np.clip(np.rint(np.array([low, high], np.float32) / np.float32(scale)) + np.float32(zero), 0, _HIGHEST)
    return int(ends[0]), int(ends[1])
