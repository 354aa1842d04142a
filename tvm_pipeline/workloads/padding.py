"""The stage that surrounds a blocked or a plain input with a border."""

from tvm import te, tirx

from tvm_pipeline.layer import Layer
from tvm_pipeline.workloads.workload import PADDING


def padded_rows(data: te.Tensor, layer: Layer, value: float = 0.0) -> te.Tensor:
    """``[N, C/b, H*W, b]`` -> ``[N, C/b, H+top+bottom, W+left+right, b]``, filled with ``value``."""
    batch, blocks, _, lanes = (int(extent) for extent in data.shape)
    top, left, bottom, right = layer.padding
    height, width = layer.height, layer.width

    def at(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        inside = tirx.all(y >= top, y < top + height, x >= left, x < left + width)
        return tirx.if_then_else(inside, data[n, c, (y - top) * width + x - left, lane], tirx.const(value, data.dtype))

    shape = (batch, blocks, height + top + bottom, width + left + right, lanes)
    return te.compute(shape, at, name="padded", attrs={PADDING: 1})


def padded_planes(data: te.Tensor, layer: Layer) -> te.Tensor:
    """``[N, C, H, W]`` -> ``[N, C, H+top+bottom, W+left+right]`` filled with zeros."""
    top, left, bottom, right = layer.padding
    height, width = layer.height, layer.width

    def at(n, c, y, x):  # type: ignore[no-untyped-def]
        inside = tirx.all(y >= top, y < top + height, x >= left, x < left + width)
        return tirx.if_then_else(inside, data[n, c, y - top, x - left], tirx.const(0.0, data.dtype))

    shape = (layer.batch, layer.in_channels, height + top + bottom, width + left + right)
    return te.compute(shape, at, name="padded", attrs={PADDING: 1})
