"""The larger and the smaller of a value and a limit; a value that is NaN stays NaN, as in ONNX Runtime.

``tirx.max`` does not say so: LLVM gets ``a > b ? a : b``, whose second operand decides, and CUDA ``fmaxf``, which drops
NaN. An operator of its own is one instruction on x86 (``maxps`` returns its second operand) and on ARM (``fmax``).
"""

from tvm import ir, tirx
from tvm.ir import register_op_attr

from tvm_pipeline.intrinsics.value import FLOAT, Operand, Value

AT_LEAST, AT_MOST = "mobilenet_tvm.at_least", "mobilenet_tvm.at_most"


def at_least(value: ir.Expr, limit: ir.Expr) -> ir.Expr:
    """The larger of the two; NaN where ``value`` is. ``limit`` is no NaN."""
    return tirx.call_intrin(value.ty, AT_LEAST, value, limit)


def at_most(value: ir.Expr, limit: ir.Expr) -> ir.Expr:
    """The smaller of the two; NaN where ``value`` is. ``limit`` is no NaN."""
    return tirx.call_intrin(value.ty, AT_MOST, value, limit)


def larger(value: Value, limit: Operand) -> Value:
    return _extreme(value, limit, "maximum", "olt")


def smaller(value: Value, limit: Operand) -> Value:
    return _extreme(value, limit, "minimum", "ogt")


def _extreme(value: Value, limit: Operand, intrinsic: str, predicate: str) -> Value:
    body = value.body
    if not body.is_aarch64:
        return value.compare(predicate, limit).choose(limit, value)
    kind = body.type_of(FLOAT)
    suffix = "f32" if body.lanes == 1 else f"v{body.lanes}f32"
    return body.emit(FLOAT, f"call {kind} @llvm.{intrinsic}.{suffix}({value.typed}, {kind} {value.operand(limit)})")


def tir_max(call: ir.Call) -> ir.Expr:
    """Where LLVM does not compile, CUDA: a comparison with NaN is false, and chooses the value."""
    value, limit = call.args
    name = tirx.Var("value", value.ty)
    return tirx.Let(name, value, tirx.Select(name < limit, limit, name))


def tir_min(call: ir.Call) -> ir.Expr:
    value, limit = call.args
    name = tirx.Var("value", value.ty)
    return tirx.Let(name, value, tirx.Select(name > limit, limit, name))


for _name in (AT_LEAST, AT_MOST):
    register_op_attr(_name, "TCallEffectKind", tirx.expr.CallEffectKind.Pure.value)
    register_op_attr(_name, "TVectorizable", True)
