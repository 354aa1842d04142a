"""ReLU, Clip, Max and Min as kernels that let NaN pass, as ONNX Runtime's do.

TVM's own compare and take the other operand where one is NaN. ``LegalizeOps`` takes these instead, for floats.
"""

from collections.abc import Callable, Mapping
from functools import partial

from tvm import ir, relax, te, tirx, topi

from tvm_pipeline.intrinsics.extremes import at_least, at_most
from tvm_pipeline.passes.dataflow import operator_name, scalar_of

Legalize = Callable[[relax.BlockBuilder, relax.Call], relax.Expr]
_Extreme = Callable[[te.Tensor, te.Tensor], te.Tensor]


def _limited(data: te.Tensor, low: float | None = None, high: float | None = None) -> te.Tensor:
    def limit(*index: ir.Expr) -> ir.Expr:
        value = data(*index)
        value = value if low is None else at_least(value, tirx.const(low, data.dtype))
        return value if high is None else at_most(value, tirx.const(high, data.dtype))

    return te.compute(data.shape, limit, name="limited", tag=topi.tag.ELEMWISE)


def _relu(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    return builder.call_te(partial(_limited, low=0.0), call.args[0], primfunc_name_hint="relu")


def _clip(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    data, low, high = call.args
    return builder.call_te(
        partial(_limited, low=scalar_of(low), high=scalar_of(high)), data, primfunc_name_hint="tir_clip"
    )


def _of_larger(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    return _of_two(builder, call, "low", topi.maximum)


def _of_smaller(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    return _of_two(builder, call, "high", topi.minimum)


def _of_two(builder: relax.BlockBuilder, call: relax.Call, side: str, extreme: _Extreme) -> relax.Expr:
    """A value and a number, which limits it from one ``side``, or two values."""
    name = operator_name(call).removeprefix("relax.")
    for value, other in (call.args, call.args[::-1]):
        limit = scalar_of(other)
        if limit is not None and limit == limit:
            return builder.call_te(partial(_limited, **{side: limit}), value, primfunc_name_hint=name)

    def of_two(left: te.Tensor, right: te.Tensor) -> te.Tensor:
        return topi.where(topi.isnan(left), left, extreme(left, right))  # which is NaN where ``right`` is

    return builder.call_te(of_two, *call.args, primfunc_name_hint=name)


def of_floats(operator: str, legalize: Legalize) -> Legalize:
    """The legalisation of an operator; TVM's own where it computes with integers."""
    others = ir.Op.get(operator).get_attr("FLegalize")

    def choose(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        return (legalize if "float" in str(call.args[0].ty.dtype) else others)(builder, call)

    return choose


LIMITS: Mapping[str, Legalize] = {
    operator: of_floats(operator, legalize)
    for operator, legalize in {
        "relax.nn.relu": _relu,
        "relax.clip": _clip,
        "relax.maximum": _of_larger,
        "relax.minimum": _of_smaller,
    }.items()
}
