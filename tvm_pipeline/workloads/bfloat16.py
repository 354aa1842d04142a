"""Convolutions in pairs of bfloat16, as AVX512-BF16 multiplies them, added up in float32."""

import numpy as np
from tvm import te, tirx, topi

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.hardware.column_pairs import MARGIN, PAIR, first_column, window_pairs, zeros_before
from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles, widened
from tvm_pipeline.workloads.conv2d import finish, product_of
from tvm_pipeline.workloads.epilogue import apply_epilogue, narrow, wide
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, PADDING, Workload


def from_bfloat16(bits: te.Tensor) -> te.Tensor:
    """The float32 values of bits of bfloat16."""
    return te.compute(bits.shape, lambda *index: wide(bits(*index)), name="widened", tag=topi.tag.ELEMWISE)


def to_bfloat16(values: te.Tensor) -> te.Tensor:
    """The bits of the bfloat16 that are nearest to float32 values."""
    return te.compute(values.shape, lambda *index: narrow(values(*index), BITS), name="rounded", tag=topi.tag.ELEMWISE)


def in_pairs(packed: np.ndarray) -> np.ndarray:
    """``[C/b, K/b, b, c]`` -> ``[C/b, K/b, b/2, c, 2]``: two input channels side by side for each result."""
    blocks, in_blocks, in_lanes, lanes = packed.shape
    pairs = packed.reshape(blocks, in_blocks, in_lanes // PAIR, PAIR, lanes)
    return np.ascontiguousarray(pairs.transpose(0, 1, 2, 4, 3))


def pointwise(layer: Layer, dtype: str = BITS) -> Workload:
    """``[N, K/b, M, b]`` x ``[C/b, K/b, b/2, b, 2]`` -> ``[N, C/b, M, b]`` with M = H*W, all as bits of bfloat16."""
    spatial = layer.height * layer.width
    computed = in_whole_tiles(spatial)
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, spatial, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, in_lanes // PAIR, lanes, PAIR), dtype, name="weight")
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")

    def multiply(n, c, m, lane):  # type: ignore[no-untyped-def]
        pixel = m if computed == spatial else tirx.min(m, spatial - 1)
        pair = weight[c, ko, ki // PAIR, lane, ki % PAIR]
        return te.sum(wide(data[n, ko, pixel, ki]) * wide(pair), axis=[ko, ki])

    shape = (layer.batch, blocks, computed, lanes)
    product = te.compute(shape, multiply, name="product", attrs={ANCHOR: str(layer)})
    if computed != spatial:
        made = product
        product = te.compute((layer.batch, blocks, spatial, lanes), lambda *index: made(*index), name="cropped")
    extra, output = apply_epilogue(layer.epilogue, product, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def window_in_pairs(layer: Layer, packed: np.ndarray) -> np.ndarray:
    """``[C/b, K, kh', kw', c]`` -> ``[C/b, K, kh, kw/2, c, 2]``: two columns of a window side by side, zeros beside."""
    height, width = layer.kernel
    before = zeros_before(layer)
    behind = window_pairs(layer) * PAIR - width - before
    filled = np.pad(packed[:, :, :height, :width], [(0, 0)] * 3 + [(before, behind), (0, 0)])
    pairs = filled.reshape(*filled.shape[:3], -1, PAIR, filled.shape[-1])
    return np.ascontiguousarray(pairs.transpose(0, 1, 2, 3, 5, 4))


def conv2d(layer: Layer, dtype: str = BITS) -> Workload:
    """``[N, K, H, W]`` (float32, rounded here) x ``[C/b, K, kh, kw/2, b, 2]`` -> ``[N, C/b, OH*OW, b]``: the first."""
    blocks, lanes = blocks_and_lanes(layer.out_channels)
    planes = te.placeholder((layer.batch, layer.in_channels, layer.height, layer.width), DTYPE, name="data")
    shape = (blocks, layer.in_channels, layer.kernel[0], window_pairs(layer), lanes, PAIR)
    weight = te.placeholder(shape, dtype, name="weight")
    rounded, first = _rounded_rows(planes, layer, dtype), first_column(layer)
    ko, ry = te.reduce_axis((0, layer.in_channels), name="ko"), te.reduce_axis((0, layer.kernel[0]), name="ry")
    rx, k = te.reduce_axis((0, window_pairs(layer)), name="rx"), te.reduce_axis((0, PAIR), name="k")

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        column = x * layer.stride[1] + first + rx * PAIR + k
        value = rounded[n, ko, y * layer.stride[0] + ry, column // MARGIN, column % MARGIN]
        return te.sum(wide(value) * wide(weight[c, ko, ry, rx, lane, k]), axis=[ko, ry, rx, k])

    return finish(layer, planes, weight, product_of(layer, widened(layer), blocks, lanes, multiply), dtype)


def _rounded_rows(planes: te.Tensor, layer: Layer, dtype: str) -> te.Tensor:
    """``[N, K, H, W]`` -> ``[N, K, H+top+bottom, 1+W/16+1, 16]``, rounded, zeros around."""
    top, _, bottom, _ = layer.padding
    vectors = layer.width // MARGIN

    def at(n, c, y, vector, lane):  # type: ignore[no-untyped-def]
        inside = tirx.all(y >= top, y < top + layer.height, vector >= 1, vector <= vectors)
        value = planes[n, c, y - top, (vector - 1) * MARGIN + lane]
        return tirx.if_then_else(inside, narrow(value, dtype), tirx.const(0, dtype))

    shape = (*planes.shape[:2], layer.height + top + bottom, 1 + vectors + 1, MARGIN)
    return te.compute(shape, at, name="padded", attrs={PADDING: 1})
