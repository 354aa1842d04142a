"""Puts the results of a transposed convolution's phases beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from tvm import te, tirx

from tvm_pipeline.hardware.channel_block import blocks_and_lanes, padded_channels
from tvm_pipeline.workloads.epilogue import Expression
from tvm_pipeline.workloads.workload import DTYPE, Workload

_Place = tuple[Expression, Expression]
"""Along one axis: which result of its phase, and which phase."""


@dataclass(frozen=True)
class Part:
    """Results of phases that one kernel made, ``[N, P*C/b, H*W, b]``.

    :ivar shape: of the kernel's result.
    :ivar phases: by row and column, in the order of their channels.
    :ivar width: of its image, which may be larger than the phases need.
    """

    shape: tuple[int, ...]
    width: int
    phases: tuple[tuple[int, int], ...]


def interleave(
    parts: Sequence[Part], channels: int, size: tuple[int, int], stride: tuple[int, int], dtype: str = DTYPE
) -> Workload:
    """``[N, C/b, OH, OW, b]`` of the parts; where the strides divide the size, its axes are cut in two by them."""
    batch, padded = parts[0].shape[0], padded_channels(channels)
    blocks, lanes = blocks_and_lanes(channels)
    operands = [te.placeholder(part.shape, dtype, name=f"part{number}") for number, part in enumerate(parts)]

    def pick(n: Expression, c: Expression, rows: _Place, columns: _Place, lane: Expression) -> Expression:
        (y, down), (x, along) = rows, columns
        value: Expression = tirx.const(0, dtype)
        for part, operand in zip(parts, operands, strict=True):
            for position, (row, column) in enumerate(part.phases):
                channel = position * padded + c * lanes + lane
                own = part.shape[3]
                read = operand[n, channel // own, y * part.width + x, channel % own]
                is_here = tirx.all(down == row, along == column)
                value = tirx.if_then_else(is_here, read, value)
        return value

    (height, width), (sh, sw) = size, stride
    if height % sh or width % sw:
        result = te.compute(
            (batch, blocks, height, width, lanes),
            lambda n, c, y, x, lane: pick(n, c, (y // sh, y % sh), (x // sw, x % sw), lane),
            name="interleaved",
        )
    else:
        result = te.compute(
            (batch, blocks, height // sh, sh, width // sw, sw, lanes),
            lambda n, c, y, sy, x, sx, lane: pick(n, c, (y, sy), (x, sx), lane),
            name="interleaved",
        )
    return Workload(tuple(operands), result)
