"""Depthwise convolutions: one filter per channel."""

from tvm import te

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.workloads.channel_block import channel_block, padded_channels
from tvm_pipeline.workloads.conv2d import flatten_spatial
from tvm_pipeline.workloads.epilogue import apply_epilogue, wide
from tvm_pipeline.workloads.padding import padded_rows, tap, window_shape
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, Workload, weight_dtype


def padded_depthwise(layer: Layer, dtype: str = DTYPE) -> Workload:
    """The same arguments; a stage pads the input, and the weights' row and column of zeros are not read."""
    data, weight, product = padded_depthwise_product(layer, dtype)
    flat = flatten_spatial(product, layer)
    extra, output = apply_epilogue(layer.epilogue, flat, lambda n, c, m, lane: (c, lane), dtype)
    return Workload((data, weight, *extra), output)


def padded_depthwise_product(
    layer: Layer, dtype: str, weight_name: str = "weight", anchor: str = ANCHOR
) -> tuple[te.Tensor, te.Tensor, te.Tensor]:
    """Data, weight, and what they make without an epilogue: ``[N, C/b, OH, OW, b]``, float32."""
    lanes = channel_block(layer.in_channels)
    blocks = padded_channels(layer.in_channels) // lanes
    data = te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), dtype, name="data")
    weight = te.placeholder((blocks, *window_shape(layer), lanes), weight_dtype(layer, dtype), name=weight_name)
    padded = padded_rows(data, layer)
    (sh, sw), (dh, dw) = layer.stride, layer.dilation
    ry, rx = te.reduce_axis((0, layer.kernel[0]), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")
    product = te.compute(
        (layer.batch, blocks, layer.out_height, layer.out_width, lanes),
        lambda n, c, y, x, lane: te.sum(
            wide(padded[n, c, y * sh + ry * dh, x * sw + rx * dw, lane]) * weight[c, ry, rx, lane],
            axis=[ry, rx],
        ),
        name="product",
        attrs={anchor: str(layer)},
    )
    return data, weight, product


def depthwise(layer: Layer) -> Workload:
    """``[N, C/b, H*W, b]`` x ``[C/b, kh', kw', b]`` (``window_shape``) -> ``[N, C/b, OH*OW, b]``."""
    data, weight, product = depthwise_product(layer)
    flat = flatten_spatial(product, layer)
    extra, output = apply_epilogue(layer.epilogue, flat, lambda n, c, m, lane: (c, lane))
    return Workload((data, weight, *extra), output)


def depthwise_product(
    layer: Layer, weight_name: str = "weight", anchor: str = ANCHOR
) -> tuple[te.Tensor, te.Tensor, te.Tensor]:
    """Data, weight, and what they make without an epilogue: ``[N, C/b, OH, OW, b]``."""
    lanes = channel_block(layer.in_channels)
    blocks = padded_channels(layer.in_channels) // lanes
    data = te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), DTYPE, name="data")
    weight = te.placeholder((blocks, *window_shape(layer), lanes), DTYPE, name=weight_name)
    ry, rx = te.reduce_axis((0, layer.kernel[0]), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        (row, weight_row), (column, weight_column) = tap(layer, 0, y, ry), tap(layer, 1, x, rx)
        value = data[n, c, row * layer.width + column, lane]
        return te.sum(value * weight[c, weight_row, weight_column, lane], axis=[ry, rx])

    product = te.compute(
        (layer.batch, blocks, layer.out_height, layer.out_width, lanes),
        multiply,
        name="product",
        attrs={anchor: str(layer)},
    )
    return data, weight, product
