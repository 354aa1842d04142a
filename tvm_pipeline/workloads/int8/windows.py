"""Windows of bytes by dot products of fours, four bytes of the input in an int32: the channels of an image's pixel, or,
where a window slides over each channel alone, four rows, one below the other.

In the latter a window's rows are cut into fours. As long as a few windows, one below the other, reach no further than
those, they share them: their weights are moved down, and zero where a window has no row.
"""

from dataclasses import dataclass

import numpy as np
from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.workloads.conv2d import flatten_spatial, product_of
from tvm_pipeline.workloads.int8.layers import BYTE, FOUR, SIGNED, WHOLE, ZERO_IN, finished, quantisation_argument
from tvm_pipeline.workloads.padding import window_axes
from tvm_pipeline.workloads.workload import ANCHOR, Workload


@dataclass(frozen=True)
class Fours:
    """``count`` fours hold the ``rows`` of the input that so many ``windows`` need, one below the other."""

    count: int
    windows: int
    rows: int

    @staticmethod
    def of(layer: Layer) -> "Fours":
        count = -(-layer.kernel[0] // FOUR)
        further = (count * FOUR - layer.kernel[0]) // layer.stride[0]
        return Fours(count, further + 1, further * layer.stride[0] + layer.kernel[0])


def depthwise(layer: Layer, _dtype: str = BYTE) -> Workload:
    """``[N, C/b, H*W, b]`` x ``[C/b, windows, fours, kw, b, 4]`` -> ``[N, C/b, OH*OW, b]``; the input's zero point is
    in the bias, and is what the border is filled with."""
    fours, (blocks, lanes) = Fours.of(layer), blocks_and_lanes(layer.in_channels)
    data = te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), BYTE, name="data")
    shape = (blocks, fours.windows, fours.count, layer.kernel[1], lanes, FOUR)
    weight = te.placeholder(shape, SIGNED, name="weight")
    quantisation = quantisation_argument()
    (top, left, *_), (sh, sw) = layer.padding, layer.stride
    ry, rx = te.reduce_axis((0, fours.rows), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        row, column = y // fours.windows * fours.windows * sh + ry - top, x * sw + rx - left
        inside = tirx.all(row >= 0, row < layer.height, column >= 0, column < layer.width)
        border = quantisation[ZERO_IN].astype(BYTE)
        value = tirx.if_then_else(inside, data[n, c, row * layer.width + column, lane], border)
        factor = weight[c, y % fours.windows, ry // FOUR, rx, lane, ry % FOUR]
        return te.sum(value.astype(WHOLE) * factor.astype(WHOLE), axis=[ry, rx])

    results = (layer.batch, blocks, layer.out_height, layer.out_width, lanes)
    product = te.compute(results, multiply, name="product", attrs={ANCHOR: str(layer)})
    return finished(layer, data, weight, flatten_spatial(product, layer), quantisation)


def conv2d(layer: Layer, _dtype: str = BYTE) -> Workload:
    """``[N, K, H, W]`` x ``[C/b, kh, kw, b, 4]`` -> ``[N, C/b, OH*OW, b]``, of up to four channels; the same."""
    blocks, lanes = blocks_and_lanes(layer.out_channels)
    data = te.placeholder((layer.batch, layer.in_channels, layer.height, layer.width), BYTE, name="data")
    weight = te.placeholder((blocks, *layer.kernel, lanes, FOUR), SIGNED, name="weight")
    quantisation = quantisation_argument()
    (top, left, *_), (sh, sw) = layer.padding, layer.stride
    ko = te.reduce_axis((0, layer.in_channels), name="ko")
    ry, rx = window_axes(layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        row, column = y * sh + ry - top, x * sw + rx - left
        inside = tirx.all(row >= 0, row < layer.height, column >= 0, column < layer.width)
        border = quantisation[ZERO_IN].astype(BYTE)
        value = tirx.if_then_else(inside, data[n, ko, row, column], border)
        return te.sum(value.astype(WHOLE) * weight[c, ry, rx, lane, ko].astype(WHOLE), axis=[ko, ry, rx])

    product = product_of(layer, layer, blocks, lanes, multiply)
    return finished(layer, data, weight, flatten_spatial(product, layer), quantisation)


def in_pixels_of_fours(layer: Layer, packed: np.ndarray) -> np.ndarray:
    """``[C/b, K, kh', kw', b]`` -> ``[C/b, kh, kw, b, 4]``, without the zeros for a border."""
    rows, columns = layer.kernel
    fours = np.pad(packed[:, :, :rows, :columns], [(0, 0), (0, FOUR - layer.in_channels), *[(0, 0)] * 3])
    return np.ascontiguousarray(fours.transpose(0, 2, 3, 4, 1))


def in_rows_of_fours(layer: Layer, packed: np.ndarray) -> np.ndarray:
    """``[C/b, kh', kw', b]`` -> ``[C/b, windows, fours, kw, b, 4]``, without the zeros for a border."""
    fours, (rows, columns), (blocks, *_, lanes) = Fours.of(layer), layer.kernel, packed.shape
    moved = np.zeros((blocks, fours.windows, fours.count * FOUR, columns, lanes), packed.dtype)
    for window in range(fours.windows):
        first = window * layer.stride[0]
        moved[:, window, first : first + rows] = packed[:, :rows, :columns]
    split = moved.reshape(blocks, fours.windows, fours.count, FOUR, columns, lanes)
    return np.ascontiguousarray(split.transpose(0, 1, 2, 4, 5, 3))
