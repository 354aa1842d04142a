"""Depthwise convolutions: one filter per channel."""

from tvm import te

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles
from tvm_pipeline.workloads.conv2d import finish
from tvm_pipeline.workloads.epilogue import wide
from tvm_pipeline.workloads.padding import read_rows, window_axes, window_shape
from tvm_pipeline.workloads.workload import ANCHOR, DTYPE, Workload, weight_dtype


def depthwise(layer: Layer, dtype: str = DTYPE, *, padded: bool = False, whole_tiles: bool = False) -> Workload:
    """``[N, C/b, H*W, b]`` x ``[C/b, kh', kw', b]`` (``window_shape``) -> ``[N, C/b, OH*OW, b]``.

    :param padded: a stage pads the input, and the weights' row and column of zeros are not read.
    :param whole_tiles: a few more columns are computed, and dropped.
    """
    columns = in_whole_tiles(layer.out_width) if whole_tiles else layer.out_width
    return finish(layer, *depthwise_product(layer, dtype, padded=padded, columns=columns), dtype)


def depthwise_product(
    layer: Layer,
    dtype: str,
    weight_name: str = "weight",
    anchor: str = ANCHOR,
    *,
    padded: bool,
    columns: int | None = None,
) -> tuple[te.Tensor, te.Tensor, te.Tensor]:
    """Data, weight, and what they make without an epilogue: ``[N, C/b, OH, OW, b]``, float32.

    :param columns: that are computed, if more than the layer has.
    """
    blocks, lanes = blocks_and_lanes(layer.in_channels)
    data = te.placeholder((layer.batch, blocks, layer.height * layer.width, lanes), dtype, name="data")
    weight = te.placeholder((blocks, *window_shape(layer), lanes), weight_dtype(layer, dtype), name=weight_name)
    read = read_rows(data, layer, padded=padded)
    ry, rx = window_axes(layer)

    def multiply(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        value, row, column = read(n, c, (y, ry), (x, rx), lane)
        return te.sum(wide(value) * weight[c, row, column, lane], axis=[ry, rx])

    product = te.compute(
        (layer.batch, blocks, layer.out_height, columns or layer.out_width, lanes),
        multiply,
        name="product",
        attrs={anchor: str(layer)},
    )
    return data, weight, product
