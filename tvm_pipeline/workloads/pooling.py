"""Pooling over blocked activations."""

import math

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.hardware.whole_tiles import widened
from tvm_pipeline.workloads.conv2d import flatten_spatial
from tvm_pipeline.workloads.epilogue import narrowed, wide
from tvm_pipeline.workloads.padding import (
    padded_planes,
    padded_rows,
    read_filled,
    repeated_planes,
    repeated_rows,
    repeats_within_windows,
    window_axes,
)
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, Workload


def _data(layer: Layer, dtype: str) -> te.Tensor:
    blocks, lanes = blocks_and_lanes(layer.in_channels)
    return te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), dtype, name="data")


def global_average_pool(layer: Layer, dtype: str = DTYPE) -> Workload:
    """``[N, C/b, H*W, b]`` -> ``[N, C/b, 1, b]``: the mean over the image."""
    data = _data(layer, dtype)
    batch, blocks, spatial, lanes = (int(extent) for extent in data.shape)
    m = te.reduce_axis((0, spatial), name="m")
    total = te.compute(
        (batch, blocks, 1, lanes),
        lambda n, c, _, lane: te.sum(wide(data[n, c, m, lane]), axis=[m]),
        name="total",
        attrs={ANCHOR: str(layer)},
    )
    mean = te.compute(total.shape, lambda *index: total(*index) * tirx.const(1.0 / spatial, DTYPE), name="mean")
    return Workload((data,), narrowed(mean, dtype))


def max_pool(layer: Layer, dtype: str = DTYPE, *, whole_tiles: bool = False) -> Workload:
    """``[N, C/b, H*W, b]`` -> ``[N, C/b, OH*OW, b]``: the largest of each window; the border never is.

    A window's NaN is forgotten at its next pixel, as in ONNX Runtime; so the border repeats pixels, where it can.

    :param whole_tiles: a few more columns are computed, and dropped.
    """
    data, computed = _data(layer, dtype), widened(layer) if whole_tiles else layer
    repeats = repeats_within_windows(layer)
    padded = repeated_rows(data, computed) if repeats else padded_rows(data, computed, -math.inf)
    (sh, sw), (dh, dw) = layer.stride, layer.dilation
    ry, rx = window_axes(layer)
    batch, blocks, _, lanes = (int(extent) for extent in data.shape)
    largest = te.compute(
        (batch, blocks, layer.out_height, computed.out_width, lanes),
        lambda n, c, y, x, lane: te.max(padded[n, c, y * sh + ry * dh, x * sw + rx * dw, lane], axis=[ry, rx]),
        name="largest",
        attrs={ANCHOR: str(layer)},
    )
    return Workload((data,), narrowed(flatten_spatial(largest, layer), dtype))


def max_pool_planes(data: te.Tensor, layer: Layer) -> te.Tensor:
    """``[N, C, H, W]`` -> ``[N, C, OH, OW]``: the same of plain activations."""
    filled = repeated_planes(data, layer) if repeats_within_windows(layer) else padded_planes(data, layer, -math.inf)
    ry, rx = window_axes(layer)
    read = read_filled(filled, layer)
    return te.compute(
        (*data.shape[:2], layer.out_height, layer.out_width),
        lambda n, c, y, x: te.max(read(n, c, (y, ry), (x, rx))[0], axis=[ry, rx]),
        name="largest",
    )


def average_pool(layer: Layer, dtype: str = DTYPE, *, whole_tiles: bool = False) -> Workload:
    """``[N, C/b, H*W, b]`` -> ``[N, C/b, OH*OW, b]``: the mean of each window, the zero border counted in.

    :param whole_tiles: a few more columns are computed, and dropped.
    """
    data, computed = _data(layer, dtype), widened(layer) if whole_tiles else layer
    padded = padded_rows(data, computed)
    (sh, sw), (dh, dw) = layer.stride, layer.dilation
    ry, rx = window_axes(layer)
    batch, blocks, _, lanes = (int(extent) for extent in data.shape)
    total = te.compute(
        (batch, blocks, layer.out_height, computed.out_width, lanes),
        lambda n, c, y, x, lane: te.sum(wide(padded[n, c, y * sh + ry * dh, x * sw + rx * dw, lane]), axis=[ry, rx]),
        name="total",
        attrs={ANCHOR: str(layer)},
    )
    share = tirx.const(1.0 / (layer.kernel[0] * layer.kernel[1]), DTYPE)
    mean = te.compute(total.shape, lambda *index: total(*index) * share, name="mean")
    return Workload((data,), narrowed(flatten_spatial(mean, layer), dtype))
