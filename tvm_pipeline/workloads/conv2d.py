"""Convolutions over all input channels: standard and pointwise."""

from tvm import te

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.workloads.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.workloads.epilogue import apply_epilogue, wide
from tvm_pipeline.workloads.padding import padded_planes, padded_rows, tap, window_shape
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, Workload, weight_dtype


def pointwise(layer: Layer, dtype: str = DTYPE) -> Workload:
    """``[N, K/b, M, b]`` x ``[C/b, K/b, b, b]`` -> ``[N, C/b, M, b]`` with M = H*W: a matrix product per image."""
    spatial = layer.height * layer.width
    in_lanes, lanes = channel_block(layer.in_channels), channel_block(layer.out_channels)
    in_blocks, blocks = padded_channels(layer.in_channels) // in_lanes, padded_channels(layer.out_channels) // lanes
    data = te.placeholder((layer.batch, in_blocks, spatial, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, in_lanes, lanes), dtype, name="weight")
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")
    product = te.compute(
        (layer.batch, blocks, spatial, lanes),
        lambda n, c, m, lane: te.sum(wide(data[n, ko, m, ki]) * wide(weight[c, ko, ki, lane]), axis=[ko, ki]),
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    extra, output = apply_epilogue(layer.epilogue, product, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def conv2d(layer: Layer, dtype: str = DTYPE, *, padded: bool = False) -> Workload:
    """A standard convolution: plain NCHW input where its channels fill no blocks (an image, say), which stays float32.

    ``padded``: a stage pads planes too, as a GPU copies them into shared memory anyway.
    """
    if is_blockable(layer.in_channels):
        return _conv2d_blocked(layer, dtype)
    return _conv2d_from_padded_planes(layer, dtype) if padded else _conv2d_from_planes(layer)


def _conv2d_blocked(layer: Layer, dtype: str) -> Workload:
    """``[N, K/b, H*W, b]`` x ``[C/b, K/b, kh, kw, b, b]`` -> ``[N, C/b, OH*OW, b]``."""
    in_lanes, lanes = channel_block(layer.in_channels), channel_block(layer.out_channels)
    in_blocks, blocks = padded_channels(layer.in_channels) // in_lanes, padded_channels(layer.out_channels) // lanes
    data = te.placeholder((layer.batch, in_blocks, layer.height * layer.width, in_lanes), dtype, name="data")
    weight = te.placeholder((blocks, in_blocks, *layer.kernel, in_lanes, lanes), dtype, name="weight")
    padded = padded_rows(data, layer)
    (sh, sw), (dh, dw) = layer.stride, layer.dilation
    ko, ki = te.reduce_axis((0, in_blocks), name="ko"), te.reduce_axis((0, in_lanes), name="ki")
    ry, rx = te.reduce_axis((0, layer.kernel[0]), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")
    product = te.compute(
        (layer.batch, blocks, layer.out_height, layer.out_width, lanes),
        lambda n, c, y, x, lane: te.sum(
            wide(padded[n, ko, y * sh + ry * dh, x * sw + rx * dw, ki]) * wide(weight[c, ko, ry, rx, ki, lane]),
            axis=[ko, ry, rx, ki],
        ),
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    return _finish(layer, data, weight, product, dtype)


def _conv2d_from_planes(layer: Layer) -> Workload:
    """``[N, K, H, W]`` x ``[C/b, K, kh', kw', b]`` (``window_shape``) -> ``[N, C/b, OH*OW, b]``: the first layer."""
    lanes = channel_block(layer.out_channels)
    blocks = padded_channels(layer.out_channels) // lanes
    data = te.placeholder((layer.batch, layer.in_channels, layer.height, layer.width), DTYPE, name="data")
    weight = te.placeholder((blocks, layer.in_channels, *window_shape(layer), lanes), DTYPE, name="weight")
    ko = te.reduce_axis((0, layer.in_channels), name="ko")
    ry, rx = te.reduce_axis((0, layer.kernel[0]), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        (row, weight_row), (column, weight_column) = tap(layer, 0, y, ry), tap(layer, 1, x, rx)
        value = data[n, ko, row, column]
        return te.sum(value * weight[c, ko, weight_row, weight_column, lane], axis=[ko, ry, rx])

    product = te.compute(
        (layer.batch, blocks, layer.out_height, layer.out_width, lanes),
        multiply,
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    return _finish(layer, data, weight, product)


def _conv2d_from_padded_planes(layer: Layer, dtype: str) -> Workload:
    """The same arguments; the weights' row and column of zeros are not read."""
    lanes = channel_block(layer.out_channels)
    blocks = padded_channels(layer.out_channels) // lanes
    data = te.placeholder((layer.batch, layer.in_channels, layer.height, layer.width), DTYPE, name="data")
    weight = te.placeholder(
        (blocks, layer.in_channels, *window_shape(layer), lanes), weight_dtype(layer, dtype), name="weight"
    )
    padded = padded_planes(data, layer)
    (sh, sw), (dh, dw) = layer.stride, layer.dilation
    ko = te.reduce_axis((0, layer.in_channels), name="ko")
    ry, rx = te.reduce_axis((0, layer.kernel[0]), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")
    product = te.compute(
        (layer.batch, blocks, layer.out_height, layer.out_width, lanes),
        lambda n, c, y, x, lane: te.sum(
            padded[n, ko, y * sh + ry * dh, x * sw + rx * dw] * weight[c, ko, ry, rx, lane], axis=[ko, ry, rx]
        ),
        name="product",
        attrs={ANCHOR: str(layer)},
    )
    return _finish(layer, data, weight, product, dtype)


def _finish(layer: Layer, data: te.Tensor, weight: te.Tensor, product: te.Tensor, dtype: str = DTYPE) -> Workload:
    flat = flatten_spatial(product, layer)
    extra, output = apply_epilogue(layer.epilogue, flat, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def flatten_spatial(result: te.Tensor, layer: Layer) -> te.Tensor:
    """``[N, C/b, OH, OW, b]`` -> ``[N, C/b, OH*OW, b]``."""
    batch, blocks, _, _, lanes = (int(extent) for extent in result.shape)
    width = layer.out_width
    shape = (batch, blocks, layer.out_height * width, lanes)
    return te.compute(shape, lambda n, c, m, lane: result[n, c, m // width, m % width, lane], name="flat")
