"""Convolutions over all input channels: standard and pointwise."""

from collections.abc import Callable

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes, is_blockable
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles, widened, with_overhang
from tvm_pipeline.workloads.epilogue import Expression, apply_epilogue, wide
from tvm_pipeline.workloads.padding import Read, read_planes, read_rows, window_axes, window_shape
from tvm_pipeline.workloads.workload import ANCHOR, CROPPED, DTYPE, Workload, weight_dtype


def pointwise(layer: Layer, dtype: str = DTYPE, *, whole_tiles: bool = False) -> Workload:
    """``[N, K/b, M, b]`` x ``[C/b, K/b, b, b]`` -> ``[N, C/b, M, b]`` with M = H*W: a matrix product per image.

    :param whole_tiles: products of a few more pixels are made, and dropped.
    """
    spatial = layer.height * layer.width
    return _pointwise(layer, dtype, in_whole_tiles(spatial) if whole_tiles else spatial)


def overhanging_pointwise(layer: Layer, dtype: str = DTYPE) -> Workload:
    """The same, where a schedule's last tile may end behind the last pixel."""
    return _pointwise(layer, dtype, with_overhang(layer.height * layer.width))


def _pointwise(layer: Layer, dtype: str, computed: int) -> Workload:
    spatial = layer.height * layer.width
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, spatial, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, in_lanes, lanes), dtype, name="weight")
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")

    def multiply(n, c, m, lane):  # type: ignore[no-untyped-def]
        pixel = m if computed == spatial else tirx.min(m, spatial - 1)
        return te.sum(wide(data[n, ko, pixel, ki]) * wide(weight[c, ko, ki, lane]), axis=[ko, ki])

    shape = (layer.batch, blocks, computed, lanes)
    product = te.compute(shape, multiply, name="product", attrs={ANCHOR: str(layer)})
    if computed != spatial:
        made = product
        product = te.compute((layer.batch, blocks, spatial, lanes), lambda *index: made(*index), name="cropped")
    extra, output = apply_epilogue(layer.epilogue, product, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def conv2d(layer: Layer, dtype: str = DTYPE, *, padded: bool = False, whole_tiles: bool = False) -> Workload:
    """A standard convolution: plain NCHW input where its channels fill no blocks (an image, say), which stays float32.

    :param padded: a stage pads planes too, as a GPU copies them into shared memory anyway.
    :param whole_tiles: a few more columns are computed, and dropped.
    """
    define = _conv2d_blocked if is_blockable(layer.in_channels) else _conv2d_from_planes
    return define(layer, widened(layer) if whole_tiles else layer, dtype, padded=padded)


def _conv2d_blocked(layer: Layer, computed: Layer, dtype: str, *, padded: bool) -> Workload:
    """``[N, K/b, H*W, b]`` x ``[C/b, K/b, kh, kw, b, b]`` -> ``[N, C/b, OH*OW, b]``."""
    (in_blocks, in_lanes), (blocks, lanes) = map(blocks_and_lanes, (layer.in_channels, layer.out_channels))
    data = te.placeholder((layer.batch, in_blocks, layer.height * layer.width, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, *layer.kernel, in_lanes, lanes), dtype, name="weight")
    read = read_blocks(data, layer, computed, padded=padded)
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")
    ry, rx = window_axes(layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, ko, (y, ry), (x, rx), ki)
        return te.sum(wide(value) * wide(weight[c, ko, row, column, ki, lane]), axis=[ko, ry, rx, ki])

    return finish(layer, data, weight, product_of(layer, computed, blocks, lanes, multiply), dtype)


def read_blocks(data: te.Tensor, layer: Layer, computed: Layer, *, padded: bool) -> Read:
    """How a window reads blocks: out of a copy where there is a border, and where ``padded``."""
    is_copied = padded or any(layer.padding)
    return read_rows(data, computed if is_copied else layer, padded=is_copied)


def _conv2d_from_planes(layer: Layer, computed: Layer, dtype: str, *, padded: bool) -> Workload:
    """``[N, K, H, W]`` x ``[C/b, K, kh', kw', b]`` (``window_shape``) -> ``[N, C/b, OH*OW, b]``: the first layer."""
    blocks, lanes = blocks_and_lanes(layer.out_channels)
    data = te.placeholder((layer.batch, layer.in_channels, layer.height, layer.width), DTYPE, name="data")
    shape = (blocks, layer.in_channels, *window_shape(layer), lanes)
    weight = te.placeholder(shape, weight_dtype(layer, dtype), name="weight")
    read = read_planes(data, layer, padded=padded)
    ko = te.reduce_axis((0, layer.in_channels), name="ko")
    ry, rx = window_axes(layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, ko, (y, ry), (x, rx))
        return te.sum(value * weight[c, ko, row, column, lane], axis=[ko, ry, rx])

    return finish(layer, data, weight, product_of(layer, computed, blocks, lanes, multiply), dtype)


def product_of(
    layer: Layer, computed: Layer, blocks: int, lanes: int, multiply: Callable[..., Expression]
) -> te.Tensor:
    """``[N, C/b, OH, OW, b]`` of what ``multiply`` sums for each result: the part that a schedule is built around."""
    shape = (computed.batch, blocks, computed.out_height, computed.out_width, lanes)
    return te.compute(shape, multiply, name="product", attrs={ANCHOR: str(layer)})


def finish(layer: Layer, data: te.Tensor, weight: te.Tensor, product: te.Tensor, dtype: str) -> Workload:
    """The workload of a convolution whose ``product`` is ``[N, C/b, OH, OW, b]``: its epilogue, stored flat."""
    flat = flatten_spatial(product, layer)
    extra, output = apply_epilogue(layer.epilogue, flat, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def flatten_spatial(result: te.Tensor, layer: Layer) -> te.Tensor:
    """``[N, C/b, OH, OW, b]`` -> ``[N, C/b, OH*OW, b]``; columns that the layer has not are dropped."""
    batch, blocks, _, columns, lanes = (int(extent) for extent in result.shape)
    width = layer.out_width
    if columns != width:
        made, cropped = result, (batch, blocks, layer.out_height, width, lanes)
        result = te.compute(cropped, lambda *index: made(*index), name="cropped", attrs={CROPPED: 1})
    shape = (batch, blocks, layer.out_height * width, lanes)
    return te.compute(shape, lambda n, c, m, lane: result[n, c, m // width, m % width, lane], name="flat")
