"""Powers whose exponent is a constant: products and roots, which vectorise, where TVM would call libm lane by lane."""

import math
from collections.abc import Callable

from tvm import ir, tirx

POWER = "tirx.pow"
LARGEST = 4
"""Exponent: each product adds half an ulp, and what it takes doubled, so that libm is better beyond."""


def power(call: ir.Call) -> ir.Expr | None:
    """``x**n`` for whole numbers n from -4 to 4, and the square root; None for other exponents.

    A negative power is that of the reciprocal: the reciprocal of a power would come from a denormal one.
    """
    base, exponent = call.args[0], _constant(call.args[1])
    if exponent is None or (exponent != 0.5 and not (exponent.is_integer() and abs(exponent) <= LARGEST)):
        return None
    if exponent == 0.5:
        return _with_name(base, _root)
    if exponent < 0:
        base = _number(1.0, base) / base
    return _with_name(base, lambda x: _product(x, abs(int(exponent))))


def _constant(exponent: ir.Expr) -> float | None:
    value = exponent.value if isinstance(exponent, tirx.Broadcast) else exponent
    return float(value.value) if isinstance(value, (tirx.FloatImm, tirx.IntImm)) else None


def _with_name(value: ir.Expr, body: Callable[[ir.Expr], ir.Expr]) -> ir.Expr:
    """``body`` of a value that is computed once."""
    name = tirx.Var("base", value.ty)
    return tirx.Let(name, value, body(name))


def _product(base: ir.Expr, exponent: int) -> ir.Expr:
    """By squaring; that both halves are the same, LLVM and nvcc see."""
    if exponent == 0:
        return _number(1.0, base)
    if exponent == 1:
        return base
    half = _product(base, exponent // 2)
    return half * half * base if exponent % 2 else half * half


def _root(base: ir.Expr) -> ir.Expr:
    """What ``pow`` gives of -0 and of minus infinity, too: +0 and infinity."""
    root = tirx.sqrt(base + _number(0.0, base))
    return tirx.Select(tirx.EQ(base, _number(-math.inf, base)), _number(math.inf, base), root)


def _number(value: float, like: ir.Expr) -> ir.Expr:
    return tirx.const(value, like.ty.dtype)
