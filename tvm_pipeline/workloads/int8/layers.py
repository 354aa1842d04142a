"""Layers of bytes: unsigned activations, signed weights, whole sums, and what makes bytes of them again.

    result = clip(rint(float(sum + bias) * scale) + zero, low, high)

in float32, rounding half to even: a sum has one value on every target, and so has the result. ``quantisation`` holds
the zero point of the input and, of the result, the zero point and its least and largest value, an activation's.
"""

from collections.abc import Callable, Sequence

import numpy as np
from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes, is_blockable
from tvm_pipeline.hardware.column_pairs import PAIR
from tvm_pipeline.hardware.cpu import SIGN
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles, widened, with_overhang
from tvm_pipeline.intrinsics import int8
from tvm_pipeline.workloads.conv2d import flatten_spatial, product_of
from tvm_pipeline.workloads.epilogue import Expression
from tvm_pipeline.workloads.padding import padded_rows, read_filled, read_planes, window_axes, window_shape
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, PREPARED, Workload

FOUR = 4
"""Input channels that one dot product of bytes multiplies."""
BYTE, SIGNED, SHORT, WHOLE = "uint8", "int8", "int16", "int32"
ZERO_IN, ZERO, LOW, HIGH = range(4)
"""The places in ``quantisation``."""
DOT_PRODUCTS = (
    "int8_pointwise",
    "int8_narrow_pointwise",
    "int8_pointwise_of_signed",
    "int8_pointwise_of_shorts",
    "int8_dot_depthwise",
    "int8_dot_conv2d",
)
"""The kinds of kernels with whole sums, the input's zero point in the bias; others' are whole numbers in float32."""
EXACT = 2**24
"""Whole numbers below it are exact in float32, and so are their sums."""


Round = Callable[[Expression, Sequence[Expression]], Expression]
"""From a sum times its scale, and the zero point and the limits in float32, to an int32."""


def is_exact(taps: int) -> bool:
    """Whether a sum of so many products of bytes is a whole number in float32 too."""
    return taps * 255 * 128 < EXACT


def requantised(value: Expression, ends: Sequence[Expression]) -> Expression:
    """Clipped last, so that LLVM makes bytes of four of AVX2's vectors at a time."""
    zero, low, high = ends
    whole = tirx.max(tirx.min(tirx.nearbyint(value) + zero, high), low)
    return whole.astype(str(whole.ty.dtype).replace(DTYPE, WHOLE))


def rounded_at_once(value: Expression, ends: Sequence[Expression]) -> Expression:
    """The same by fewer instructions, where a vector becomes bytes by one, AVX-512's."""
    return tirx.call_intrin(str(value.ty.dtype).replace(DTYPE, WHOLE), int8.REQUANTISE, value, *ends)


def pointwise(layer: Layer, _dtype: str = BYTE, *, at_once: bool = True) -> Workload:
    """``[N, K/b, M, b]`` x ``[C/b, K/b, b/4, b, 4]`` -> ``[N, C/b, M, b]`` with M = H*W; the input's zero point is in
    the bias.

    :param at_once: whether results are rounded as they are converted.
    """
    make_whole = rounded_at_once if at_once else requantised
    return _pointwise(layer, in_whole_tiles(layer.height * layer.width), FOUR, make_whole=make_whole)


def pointwise_of_signed(layer: Layer, _dtype: str = BYTE) -> Workload:
    """The same, whose bias has the sums of the weights ``SIGN`` times more: bytes are signed when multiplied."""

    def signed(value: Expression) -> Expression:
        return tirx.reinterpret(SIGNED, tirx.bitwise_xor(value, tirx.const(SIGN, BYTE)))

    return _pointwise(layer, with_overhang(layer.height * layer.width), FOUR, signed, rounded_at_once)


def pointwise_of_shorts(layer: Layer, _dtype: str = BYTE) -> Workload:
    """The same in pairs, ``[C/b, K/b, b/2, b, 2]``: bytes have 16 bits when multiplied."""
    return _pointwise(layer, with_overhang(layer.height * layer.width), PAIR, lambda value: value.astype(SHORT))


def _pointwise(
    layer: Layer,
    computed: int,
    group: int,
    prepare: Callable[[Expression], Expression] | None = None,
    make_whole: Round = requantised,
) -> Workload:
    """In groups of input channels, each activation prepared before it is multiplied if so it must be."""
    spatial = layer.height * layer.width
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, spatial, in_lanes), BYTE, name="data")
    weight = te.placeholder((blocks, in_blocks, in_lanes // group, lanes, group), SIGNED, name="weight")
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")

    def read(n, k, m, lane):  # type: ignore[no-untyped-def]
        value = data[n, k, m if computed == spatial else tirx.min(m, spatial - 1), lane]
        return value if prepare is None else prepare(value)

    value_of: Callable[..., Expression] = read
    if prepare is not None:
        shape = (layer.batch, in_blocks, computed, in_lanes)
        value_of = te.compute(shape, read, name="prepared", attrs={PREPARED: 1})

    def multiply(n, c, m, lane):  # type: ignore[no-untyped-def]
        value, factor = value_of(n, ko, m, ki), weight[c, ko, ki // group, lane, ki % group]
        return te.sum(value.astype(WHOLE) * factor.astype(WHOLE), axis=[ko, ki])

    shape = (layer.batch, blocks, computed, lanes)
    product = te.compute(shape, multiply, name="product", attrs={ANCHOR: str(layer)})
    if computed != spatial:
        whole = product
        product = te.compute((layer.batch, blocks, spatial, lanes), lambda *index: whole(*index), name="cropped")
    return finished(layer, data, weight, product, make_whole=make_whole)


def depthwise(layer: Layer, _dtype: str = BYTE) -> Workload:
    """``[N, C/b, H*W, b]`` x ``[C/b, kh', kw', b]`` (whole numbers in float32) -> ``[N, C/b, OH*OW, b]``."""
    blocks, lanes = blocks_and_lanes(layer.in_channels)
    data = te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), BYTE, name="data")
    weight = te.placeholder((blocks, *window_shape(layer), lanes), DTYPE, name="weight")
    quantisation = quantisation_argument()
    ry, rx = window_axes(layer)
    # many windows read a value: it is made once
    numbers = padded_rows(data, widened(layer), copied=lambda value: _above_zero(value, quantisation))
    read = read_filled(numbers, layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, c, (y, ry), (x, rx), lane)
        return te.sum(value * weight[c, row, column, lane], axis=[ry, rx])

    columns = in_whole_tiles(layer.out_width)
    shape = (layer.batch, blocks, layer.out_height, columns, lanes)
    product = te.compute(shape, multiply, name="product", attrs={ANCHOR: str(layer)})
    return finished(layer, data, weight, flatten_spatial(product, layer), quantisation, rounded_at_once)


def conv2d(layer: Layer, _dtype: str = BYTE) -> Workload:
    """``[N, K, H, W]`` x ``[C/b, K, kh', kw', b]`` (whole numbers in float32) -> ``[N, C/b, OH*OW, b]``: the first."""
    assert not is_blockable(layer.in_channels)
    blocks, lanes = blocks_and_lanes(layer.out_channels)
    data = te.placeholder((layer.batch, layer.in_channels, layer.height, layer.width), BYTE, name="data")
    weight = te.placeholder((blocks, layer.in_channels, *window_shape(layer), lanes), DTYPE, name="weight")
    read, quantisation = read_planes(data, layer, padded=False), quantisation_argument()
    ko = te.reduce_axis((0, layer.in_channels), name="ko")
    ry, rx = window_axes(layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, ko, (y, ry), (x, rx))
        return te.sum(_above_zero(value, quantisation) * weight[c, ko, row, column, lane], axis=[ko, ry, rx])

    product = product_of(layer, widened(layer), blocks, lanes, multiply)
    return finished(layer, data, weight, flatten_spatial(product, layer), quantisation, rounded_at_once)


def quantisation_argument() -> te.Tensor:
    return te.placeholder((4,), WHOLE, name="quantisation")


def _above_zero(value: Expression, quantisation: te.Tensor) -> Expression:
    return value.astype(DTYPE) - quantisation[ZERO_IN].astype(DTYPE)


def finished(
    layer: Layer,
    data: te.Tensor,
    weight: te.Tensor,
    product: te.Tensor,
    quantisation: te.Tensor | None = None,
    make_whole: Round = requantised,
) -> Workload:
    """Bias, scale and what the epilogue ends in: bytes (``requantise``) or float32 (``dequantise``)."""
    blocks, lanes = int(product.shape[1]), int(product.shape[-1])
    bias = te.placeholder((blocks, lanes), WHOLE, name="bias")
    scale = te.placeholder((blocks, lanes), DTYPE, name="scale")
    quantisation = quantisation_argument() if quantisation is None else quantisation

    def at(n, c, m, lane):  # type: ignore[no-untyped-def]
        total = product[n, c, m, lane].astype(WHOLE) + bias[c, lane]
        value = total.astype(DTYPE) * scale[c, lane]
        if layer.epilogue[-1] == "dequantise":
            return value
        return make_whole(value, [quantisation[place].astype(DTYPE) for place in (ZERO, LOW, HIGH)]).astype(BYTE)

    output = te.compute(product.shape, at, name="finished")
    return Workload((data, weight, bias, scale, quantisation), output)


def in_fours(packed: np.ndarray) -> np.ndarray:
    """``[C/b, K/b, b, c]`` -> ``[C/b, K/b, b/4, c, 4]``: four input channels side by side for each result."""
    blocks, in_blocks, in_lanes, lanes = packed.shape
    fours = packed.reshape(blocks, in_blocks, in_lanes // FOUR, FOUR, lanes)
    return np.ascontiguousarray(fours.transpose(0, 1, 2, 4, 3))
