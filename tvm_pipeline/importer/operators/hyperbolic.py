"""Hyperbolic functions and their inverses by exp, log and sqrt, exact near zero and far from it."""

from math import log

from tvm import relax

from tvm_pipeline.importer.operators.node import Node

_SERIES_BELOW = 0.5
"""Below it, differences of exponentials cancel; the series' first five terms are exact to float32's last bit."""
_SINH = (1 / 362880, 1 / 5040, 1 / 120, 1 / 6, 1.0)
_ASINH = (35 / 1152, -5 / 112, 3 / 40, -1 / 6, 1.0)
_ATANH = (1 / 9, 1 / 7, 1 / 5, 1 / 3, 1.0)
_LARGE = 1e9
_LN2 = log(2.0)


def convert_cosh(node: Node) -> relax.Expr:
    grown, shrunk = _halves(node, node.data)
    return relax.op.add(grown, shrunk)


def convert_sinh(node: Node) -> relax.Expr:
    grown, shrunk = _halves(node, node.data)
    far = node.emit(relax.op.subtract(grown, shrunk))
    return _near_zero(node, _SINH, _SERIES_BELOW, far)


def _halves(node: Node, value: relax.Expr) -> tuple[relax.Expr, relax.Expr]:
    """``exp(x) / 2`` and ``exp(-x) / 2``: of ``x - ln 2``, so that they reach as far as their results."""
    shift = node.scalar(_LN2)
    grown = node.emit(relax.op.exp(node.emit(relax.op.subtract(value, shift))))
    negative = node.emit(relax.op.negative(value))
    return grown, node.emit(relax.op.exp(node.emit(relax.op.subtract(negative, shift))))


def convert_asinh(node: Node) -> relax.Expr:
    """``sign(x) * log(|x| + sqrt(x^2 + 1))``."""
    magnitude = node.emit(relax.op.abs(node.data))
    far = _log_of_sum(node, magnitude, 1.0)
    return _near_zero(node, _ASINH, 0.25, node.emit(relax.op.multiply(far, node.emit(relax.op.sign(node.data)))))


def convert_acosh(node: Node) -> relax.Expr:
    """``log(x + sqrt(x^2 - 1))``."""
    return _log_of_sum(node, node.data, -1.0)


def _log_of_sum(node: Node, value: relax.Expr, added: float) -> relax.Expr:
    """``log(x + sqrt(x^2 + added))``; ``log(2 x)`` where the square would be infinite."""
    is_large = node.emit(relax.op.greater(value, node.scalar(_LARGE)))
    small = node.emit(relax.op.where(is_large, node.scalar(1.0), value))
    square = node.emit(relax.op.multiply(small, small))
    root = node.emit(relax.op.sqrt(node.emit(relax.op.add(square, node.scalar(added)))))
    near = node.emit(relax.op.log(node.emit(relax.op.add(small, root))))
    far = node.emit(relax.op.add(node.emit(relax.op.log(value)), node.scalar(_LN2)))
    return node.emit(relax.op.where(is_large, far, near))


def convert_atanh(node: Node) -> relax.Expr:
    """``log((1 + x) / (1 - x)) / 2``."""
    one = node.scalar(1.0)
    above, below = node.emit(relax.op.add(one, node.data)), node.emit(relax.op.subtract(one, node.data))
    far = node.emit(relax.op.log(node.emit(relax.op.divide(above, below))))
    return _near_zero(node, _ATANH, 0.25, node.emit(relax.op.multiply(far, node.scalar(0.5))))


def _near_zero(node: Node, series: tuple[float, ...], reach: float, far: relax.Expr) -> relax.Expr:
    """``far``, but nearer to zero than ``reach`` an odd series, its coefficients from the highest power on."""
    square = node.emit(relax.op.multiply(node.data, node.data))
    total = node.scalar(series[0])
    for coefficient in series[1:]:
        product = node.emit(relax.op.multiply(total, square))
        total = node.emit(relax.op.add(product, node.scalar(coefficient)))
    near = node.emit(relax.op.multiply(total, node.data))
    is_near = node.emit(relax.op.less(node.emit(relax.op.abs(node.data)), node.scalar(reach)))
    return relax.op.where(is_near, near, far)
