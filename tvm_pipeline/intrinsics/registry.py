"""Which operators become calls of these functions: kernels that are compiled after ``register_lowerings``."""

from collections.abc import Callable, Mapping
from typing import Any

from tvm import ir, tirx
from tvm.ir import register_op_attr
from tvm.tirx import register_intrin_lowering

from tvm_pipeline.intrinsics import bfloat16, byte_table, extremes, int8, power
from tvm_pipeline.intrinsics.library import note_call, symbol

_CALLED: Mapping[str, str] = {
    "tirx.exp": "exp",
    "tirx.sigmoid": "sigmoid",
    "tirx.tanh": "tanh",
    "tirx.erf": "erf",
    "tirx.log": "log",
    extremes.AT_LEAST: "at_least",
    extremes.AT_MOST: "at_most",
    bfloat16.ROUND: "round_to_bfloat16",
    bfloat16.DOT: "bfloat16_dot",
    int8.DOT: "int8_dot",
    int8.SIGNED_DOT: "int8_signed_dot",
    int8.WIDE_DOT: "int8_wide_dot",
    int8.FOURS: "int8_fours",
    int8.REQUANTISE: "requantise",
    byte_table.LOOK_UP: "byte_table",
}
"""Where LLVM compiles, of float32: TVM would call libm, lane by lane."""
_OPERANDS: Mapping[str, str] = {
    **dict.fromkeys((int8.DOT, int8.SIGNED_DOT, int8.WIDE_DOT), "int32"),
    **dict.fromkeys((int8.FOURS, byte_table.LOOK_UP), "uint8"),
}
"""The dtype of the first, where it is not float32."""

_ELSEWHERE: Mapping[str, Callable[[ir.Call], ir.Expr]] = {
    extremes.AT_LEAST: extremes.tir_max,
    extremes.AT_MOST: extremes.tir_min,
}
_LEVEL = 100
"""Above TVM's own, of which the highest is 99."""


def register_lowerings() -> None:
    """Tells TVM's LowerIntrin."""
    for operator, lowering in _ELSEWHERE.items():
        register_intrin_lowering(operator, "default", f=lowering, level=_LEVEL)
    for operator, name in _CALLED.items():
        register_op_attr(operator, "TVectorizable", True, level=_LEVEL)  # TVM would take erf apart
        register_intrin_lowering(operator, "llvm", f=_call_of_float32(operator, name), level=_LEVEL)
    for target in ("llvm", "cuda"):
        register_intrin_lowering(power.POWER, target, f=_product_of_floats(target), level=_LEVEL)


def _product_of_floats(target: str) -> Callable[[ir.Call], Any]:
    others = ir.Op.get(power.POWER).get_attr(f"{target}.FLowerIntrinsic")

    def lower(call: ir.Call) -> Any:
        product = power.power(call) if "float" in str(call.ty.dtype) else None
        return others(call) if product is None else product

    return lower


def _call_of_float32(operator: str, name: str) -> Callable[[ir.Call], Any]:
    """The lowering of an operator; of another dtype it stays TVM's (None: the next in line is asked)."""
    others = ir.Op.get(operator).get_attr("llvm.FLowerIntrinsic")

    def lower(call: ir.Call) -> Any:
        dtype = call.ty.dtype
        kind = str(call.args[0].ty.dtype).partition("x")[0]
        if kind != _OPERANDS.get(operator, "float32"):
            return others(call) if others is not None else None
        note_call(name, dtype.lanes)
        return tirx.call_pure_extern(str(dtype), symbol(name, dtype.lanes), *call.args)

    return lower
