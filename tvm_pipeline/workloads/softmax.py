"""Softmax and its logarithm along one axis."""

import math
from dataclasses import dataclass

from tvm import te, tirx

from tvm_pipeline.workloads.epilogue import Expression, narrowed, wide
from tvm_pipeline.workloads.workload import DTYPE, Workload


@dataclass(frozen=True)
class Softmax:
    """Along the second axis of ``[o, r, i, l]``, and along the last, too, where lanes are channels.

    :ivar shape: axes before, the axis or its blocks, axes behind, lanes (one where the layout is not blocked).
    :ivar channels: of the axis, without what only fills the last block.
    :ivar is_log: its logarithm.
    """

    shape: tuple[int, int, int, int]
    channels: int
    is_log: bool = False
    dtype: str = DTYPE

    @property
    def name(self) -> str:
        """An identifier: ``softmax_1x4x784x16``."""
        return ("log_" if self.is_log else "") + "softmax_" + "x".join(map(str, self.shape))


def softmax(layer: Softmax) -> Workload:
    """The largest value is subtracted first, so that no exponential overflows; what only fills a block becomes zero."""
    before, blocks, behind, lanes = layer.shape
    data = te.placeholder(layer.shape, layer.dtype, name="data")
    is_filled = layer.channels != blocks * lanes

    def known(value: Expression, block: Expression, lane: Expression, otherwise: Expression) -> Expression:
        inside = block * lanes + lane < layer.channels
        return tirx.if_then_else(inside, value, otherwise) if is_filled else value

    def reduced(name: str, reducer, value, empty: Expression) -> te.Tensor:  # type: ignore[no-untyped-def]
        k, lane = te.reduce_axis((0, blocks), "k"), te.reduce_axis((0, lanes), "lane")

        def reduce_at(o, i):  # type: ignore[no-untyped-def]
            return reducer(known(value(o, k, i, lane), k, lane, empty), axis=[k, lane])

        return te.compute((before, behind), reduce_at, name=name)

    lowest = tirx.const(-math.inf, DTYPE)
    largest = reduced("largest", te.max, lambda *index: wide(data(*index)), lowest)
    zero = tirx.const(0.0, DTYPE)

    def difference(o: Expression, k: Expression, i: Expression, lane: Expression) -> Expression:
        return wide(data[o, k, i, lane]) - largest[o, i]

    power = te.compute(layer.shape, lambda *index: tirx.exp(difference(*index)), name="power")
    total = reduced("total", te.sum, lambda *index: power(*index), zero)
    scale = te.compute(
        total.shape,
        lambda *index: tirx.log(total(*index)) if layer.is_log else tirx.const(1.0, DTYPE) / total(*index),
        name="scale",
    )

    def value(o: Expression, k: Expression, i: Expression, lane: Expression) -> Expression:
        return difference(o, k, i, lane) - scale[o, i] if layer.is_log else power[o, k, i, lane] * scale[o, i]

    result = te.compute(layer.shape, lambda o, k, i, lane: known(value(o, k, i, lane), k, lane, zero), name="result")
    return Workload((data,), narrowed(result, layer.dtype))
