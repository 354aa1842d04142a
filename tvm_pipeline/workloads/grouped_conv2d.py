"""Convolutions with groups (arXiv 1611.05431): results see the input channels of their own group alone."""

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes, padded_channels
from tvm_pipeline.hardware.channel_groups import (
    blocks_read,
    first_block,
    first_group,
    group_sizes,
    is_beyond,
    is_narrow,
    last_first_block,
)
from tvm_pipeline.hardware.whole_tiles import widened
from tvm_pipeline.workloads.conv2d import finish, product_of, read_blocks
from tvm_pipeline.workloads.epilogue import Expression, wide
from tvm_pipeline.workloads.padding import bordered, read_filled, window_axes
from tvm_pipeline.workloads.workload import DTYPE, PADDING, Workload


def grouped_conv2d(layer: Layer, dtype: str = DTYPE, *, whole_tiles: bool = False) -> Workload:
    """By blocks of input channels, or by lanes where groups are narrow.

    :param whole_tiles: a few more columns are computed, and dropped.
    """
    define = _by_lanes if is_narrow(layer) else _by_blocks
    return define(layer, widened(layer) if whole_tiles else layer, dtype)


def _data(layer: Layer, dtype: str) -> te.Tensor:
    blocks, lanes = blocks_and_lanes(layer.in_channels)
    return te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), dtype, name="data")


def _by_blocks(layer: Layer, computed: Layer, dtype: str) -> Workload:
    """``[N, K/b, H*W, b]`` x ``[C/b, R, kh, kw, b, b]`` -> ``[N, C/b, OH*OW, b]``: each block of results reads ``R``
    blocks of input channels, and what is another group's there has weights of zero."""
    (_, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = _data(layer, dtype)
    weight = te.placeholder((blocks, blocks_read(layer), *layer.kernel, in_lanes, lanes), dtype, name="weight")
    read = read_blocks(data, layer, computed, padded=False)
    ko, ki = te.reduce_axis((0, blocks_read(layer)), name="ko"), te.reduce_axis((0, in_lanes), name="ki")
    ry, rx = window_axes(layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, _first_block(layer, c) + ko, (y, ry), (x, rx), ki)
        return te.sum(wide(value) * wide(weight[c, ko, row, column, ki, lane]), axis=[ko, ry, rx, ki])

    return finish(layer, data, weight, product_of(layer, computed, blocks, lanes, multiply), dtype)


def _first_block(layer: Layer, block: Expression) -> Expression:
    first = first_block(layer, block)
    return tirx.min(first, last_first_block(layer)) if is_beyond(layer) else first


def _by_lanes(layer: Layer, computed: Layer, dtype: str) -> Workload:
    """``[N, K/b, H*W, b]`` x ``[C/b, kh, kw, K/G, b]`` -> ``[N, C/b, OH*OW, b]``."""
    blocks, lanes = blocks_and_lanes(layer.out_channels)
    inputs, _ = group_sizes(layer)
    data = _data(layer, dtype)
    weight = te.placeholder((blocks, *layer.kernel, inputs, lanes), dtype, name="weight")
    read = read_filled(_spread(data, computed), layer)
    ry, rx = window_axes(layer)
    ki = te.reduce_axis((0, inputs), name="ki")

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, c, (y, ry), (x, rx), ki, lane)
        return te.sum(wide(value) * wide(weight[c, row, column, ki, lane]), axis=[ry, rx, ki])

    return finish(layer, data, weight, product_of(layer, computed, blocks, lanes, multiply), dtype)


def _spread(data: te.Tensor, layer: Layer) -> te.Tensor:
    """``[N, K/b, H*W, b]`` -> ``[N, C/b, H+top+bottom, W+left+right, K/G, b]``: of each lane's group all inputs."""
    (_, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    inputs, outputs = group_sizes(layer)
    groups = -(-padded_channels(layer.out_channels) // outputs)  # those of lanes that only fill the last block too
    is_whole = groups * inputs <= padded_channels(layer.in_channels)
    height, width = bordered(layer)

    def at(n, c, y, x, k, lane):  # type: ignore[no-untyped-def]
        is_even = lanes % outputs == 0
        group = first_group(layer, c) + lane // outputs if is_even else (c * lanes + lane) // outputs
        channel = group * inputs + k
        channel = channel if is_whole else tirx.min(channel, layer.in_channels - 1)
        row, column = y - layer.padding[0], x - layer.padding[1]
        value = data[n, channel // in_lanes, row * layer.width + column, channel % in_lanes]
        if not any(layer.padding):
            return value
        inside = tirx.all(row >= 0, row < layer.height, column >= 0, column < layer.width)
        return tirx.if_then_else(inside, value, tirx.const(0, data.dtype))

    shape = (layer.batch, blocks, height, width, inputs, lanes)
    return te.compute(shape, at, name="spread", attrs={PADDING: 1})
