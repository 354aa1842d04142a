"""Maxima and minima over axes, and max pooling of plain activations, with NaN where ONNX Runtime has it.

Its reductions keep a NaN that comes first and drop all others (Eigen's ``maxCoeff``); its pooling keeps one that comes
last. ``LegalizeOps`` takes these instead of TVM's own, for floats.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

from tvm import ir, relax, te, tirx

from tvm_pipeline.passes.dataflow import operator_name, shape_of
from tvm_pipeline.passes.limits import Legalize, of_floats
from tvm_pipeline.passes.lowering.pooling import max_pool_layer
from tvm_pipeline.workloads.pooling import max_pool_planes

Reduce = Callable[..., te.Tensor]
Limit = Callable[[ir.Expr, ir.Expr], ir.Expr]


def _reduced(data: te.Tensor, axes: list[int], reduce: Reduce, limit: Limit, empty: float, *, keeps: bool) -> te.Tensor:
    """The extreme over ``axes``; a NaN loses every comparison, so that ``limit`` makes ``empty`` of it.

    :param keeps: the axes stay, with one element each.
    """
    kept = [axis for axis in range(len(data.shape)) if axis not in axes]
    shape = [1 if axis in axes else data.shape[axis] for axis in range(len(data.shape)) if keeps or axis in kept]

    def at(index: tuple[ir.Expr, ...], along: Mapping[int, ir.Expr]) -> ir.Expr:
        spatial = dict(enumerate(index)) if keeps else dict(zip(kept, index, strict=True))
        return data(*(along[axis] if axis in axes else spatial[axis] for axis in range(len(data.shape))))

    def extreme(*index: ir.Expr) -> ir.Expr:
        along = {axis: te.reduce_axis((0, data.shape[axis]), f"k{axis}") for axis in axes}
        value = limit(at(index, along), tirx.const(empty, data.dtype))
        return reduce(value, axis=list(along.values()))

    result = te.compute(shape, extreme, name="extreme")

    def first_or_extreme(*index: ir.Expr) -> ir.Expr:
        first = at(index, dict.fromkeys(axes, tirx.const(0, "int32")))
        return tirx.Select(tirx.isnan(first), first, result(*index))

    return te.compute(shape, first_or_extreme, name="with_first_nan")


def _over_axes(builder: relax.BlockBuilder, call: relax.Call, reduce: Reduce, limit: Limit, empty: float) -> relax.Expr:
    rank = len(shape_of(call.args[0]))
    given = range(rank) if call.attrs.axis is None else call.attrs.axis
    axes = sorted(int(axis) % rank for axis in given)
    compute = partial(_reduced, axes=axes, reduce=reduce, limit=limit, empty=empty, keeps=bool(call.attrs.keepdims))
    return builder.call_te(compute, call.args[0], primfunc_name_hint=operator_name(call).removeprefix("relax."))


def _max_pool(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    return builder.call_te(
        partial(max_pool_planes, layer=max_pool_layer(call)), call.args[0], primfunc_name_hint="max_pool2d"
    )


MAXIMA: Mapping[str, Legalize] = {
    "relax.max": of_floats("relax.max", partial(_over_axes, reduce=te.max, limit=tirx.max, empty=-math.inf)),
    "relax.min": of_floats("relax.min", partial(_over_axes, reduce=te.min, limit=tirx.min, empty=math.inf)),
    "relax.nn.max_pool2d": of_floats("relax.nn.max_pool2d", _max_pool),
}
