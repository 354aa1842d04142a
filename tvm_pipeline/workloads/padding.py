"""What surrounds an input: a stage that copies it with a border, or a window whose weights are zero outside."""

from collections.abc import Callable
from typing import TypeAlias

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.hardware.whole_tiles import widened
from tvm_pipeline.workloads.epilogue import Expression, is_bfloat16, wide
from tvm_pipeline.workloads.workload import DTYPE, PADDING

Read: TypeAlias = Callable[..., tuple[Expression, Expression, Expression]]
"""``read(n, c, (y, ry), (x, rx), *lane)``: the input that the window's offset meets at an output, and the row and the
column of the packed weights that it is multiplied by."""


def window_axes(layer: Layer) -> tuple[tirx.IterVar, tirx.IterVar]:
    """The reductions over a window's rows and columns."""
    return te.reduce_axis((0, layer.kernel[0]), name="ry"), te.reduce_axis((0, layer.kernel[1]), name="rx")


def read_rows(data: te.Tensor, layer: Layer, *, padded: bool) -> Read:
    """How a window reads ``[N, C/b, H*W, b]``; ``padded``: out of a copy with a border."""
    if padded:
        return read_filled(padded_rows(data, layer), layer)
    return _read_bordered(layer, lambda n, c, row, column, lane: data[n, c, row * layer.width + column, lane])


def read_planes(data: te.Tensor, layer: Layer, *, padded: bool) -> Read:
    """How a window reads ``[N, C, H, W]``; ``padded``: out of a copy with a border."""
    if padded:
        return read_filled(padded_planes(data, layer), layer)
    return _read_bordered(layer, lambda n, c, row, column: data[n, c, row, column])


def read_filled(filled: te.Tensor, layer: Layer) -> Read:
    """How a window reads a copy with a border."""
    (sh, sw), (dh, dw) = layer.stride, layer.dilation

    def read(n, c, rows, columns, *lane):  # type: ignore[no-untyped-def]
        (y, ry), (x, rx) = rows, columns
        return filled[(n, c, y * sh + ry * dh, x * sw + rx * dw, *lane)], ry, rx

    return read


def _read_bordered(layer: Layer, at: Callable[..., Expression]) -> Read:
    def read(n, c, rows, columns, *lane):  # type: ignore[no-untyped-def]
        (row, weight_row), (column, weight_column) = tap(layer, 0, *rows), tap(layer, 1, *columns)
        return at(n, c, row, column, *lane), weight_row, weight_column

    return read


def padded_rows(
    data: te.Tensor, layer: Layer, value: float = 0.0, copied: Callable[[Expression], Expression] | None = None
) -> te.Tensor:
    """``[N, C/b, H*W, b]`` -> ``[N, C/b, H+top+bottom, W+left+right, b]``, filled with ``value``.

    :param copied: what the copy holds of each value, float32; the value itself without it.
    """
    batch, blocks, _, lanes = (int(extent) for extent in data.shape)
    top, left, *_ = layer.padding
    height, width = layer.height, layer.width

    def at(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        inside = tirx.all(y >= top, y < top + height, x >= left, x < left + width)
        own = data[n, c, (y - top) * width + x - left, lane]
        if copied is not None:
            return tirx.if_then_else(inside, copied(own), tirx.const(value, DTYPE))
        return tirx.if_then_else(inside, _of(own), _filling(value, data))

    shape = (batch, blocks, *bordered(layer), lanes)
    return te.compute(shape, at, name="padded", attrs={PADDING: 1})


def _of(value: Expression) -> Expression:
    """What a copy holds: of the bits of a bfloat16 its value."""
    return wide(value) if is_bfloat16(value) else value


def _filling(value: float, data: te.Tensor) -> Expression:
    return tirx.const(value, DTYPE if data.dtype == BITS else data.dtype)


def repeated_rows(data: te.Tensor, layer: Layer) -> te.Tensor:
    """The same filled with the nearest pixels, which lie in every window that reaches beyond the image."""
    batch, blocks, _, lanes = (int(extent) for extent in data.shape)
    top, left, *_ = layer.padding
    height, width = layer.height, layer.width

    def at(n, c, y, x, lane):  # type: ignore[no-untyped-def]
        return _of(data[n, c, _nearest(y - top, height) * width + _nearest(x - left, width), lane])

    return te.compute((batch, blocks, *bordered(layer), lanes), at, name="padded", attrs={PADDING: 1})


def repeated_planes(data: te.Tensor, layer: Layer) -> te.Tensor:
    """``[N, C, H, W]`` -> ``[N, C, H+top+bottom, W+left+right]``, filled with the nearest pixels."""
    top, left, *_ = layer.padding

    def at(n, c, y, x):  # type: ignore[no-untyped-def]
        return data[n, c, _nearest(y - top, layer.height), _nearest(x - left, layer.width)]

    return te.compute((*data.shape[:2], *bordered(layer)), at, name="padded", attrs={PADDING: 1})


def _nearest(position: Expression, extent: int) -> Expression:
    """The position inside an axis that is nearest to one that may lie outside."""
    return tirx.max(tirx.min(position, extent - 1), 0)


def repeats_within_windows(layer: Layer) -> bool:
    """Whether the nearest pixel to any position of a window is in the window too."""
    reaches = all(
        before < kernel and (output - 1) * stride - before < size
        for before, kernel, output, stride, size in zip(
            layer.padding[:2],
            layer.kernel,
            (layer.out_height, layer.out_width),
            layer.stride,
            (layer.height, layer.width),
            strict=True,
        )
    )
    return reaches and layer.dilation == (1, 1)


def padded_planes(data: te.Tensor, layer: Layer, value: float = 0.0) -> te.Tensor:
    """``[N, C, H, W]`` -> ``[N, C, H+top+bottom, W+left+right]``, filled with ``value``."""
    batch, channels, height, width = (int(extent) for extent in data.shape)
    top, left, *_ = layer.padding

    def at(n, c, y, x):  # type: ignore[no-untyped-def]
        inside = tirx.all(y >= top, y < top + height, x >= left, x < left + width)
        return tirx.if_then_else(inside, data[n, c, y - top, x - left], tirx.const(value, data.dtype))

    shape = (batch, channels, *bordered(layer))
    return te.compute(shape, at, name="padded", attrs={PADDING: 1})


def bordered(layer: Layer) -> tuple[int, int]:
    """Rows and columns of a layer's input with its border."""
    top, left, bottom, right = layer.padding
    return layer.height + top + bottom, layer.width + left + right


def window_shape(layer: Layer) -> tuple[int, int]:
    """Rows and columns of a window's packed weights: one more, of zeros, along an axis that has a border."""
    top, left, bottom, right = layer.padding
    return layer.kernel[0] + int(top + bottom > 0), layer.kernel[1] + int(left + right > 0)


def tap(layer: Layer, axis: int, output: Expression, offset: Expression) -> tuple[Expression, Expression]:
    """Where the window's ``offset`` along an axis (0: rows) reads for an output: position in the input, row or column
    of the packed weights. On the border the nearest pixel meets weights of zero, so that no input need be copied;
    columns that only make tiles whole may read any."""
    before, after = layer.padding[axis], layer.padding[axis + 2]
    position = output * layer.stride[axis] + offset * layer.dilation[axis] - before
    extent = (layer.height, layer.width)[axis]
    if before + after == 0:
        return (tirx.min(position, extent - 1) if axis == 1 and widened(layer) != layer else position), offset
    inside = tirx.all(position >= 0, position < extent)
    return _nearest(position, extent), tirx.Select(inside, offset, tirx.const(layer.kernel[axis], "int32"))
