"""Values of TIR's integer expressions for many threads at once."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tvm import tirx
from tvm.ir import Call, Expr, TensorLoad

Array = np.ndarray[Any, Any]


class UnknownValue(Exception):
    """The expression depends on what lies in memory."""


def _truncated_quotient(a: Array, b: Array) -> Array:
    return np.asarray(np.sign(a) * np.sign(b) * (np.abs(a) // np.maximum(np.abs(b), 1)))


def _truncated_remainder(a: Array, b: Array) -> Array:
    return np.asarray(a - _truncated_quotient(a, b) * b)


_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": _truncated_quotient,
    "Mod": _truncated_remainder,
    "FloorDiv": lambda a, b: a // np.maximum(b, 1),
    "FloorMod": lambda a, b: a % np.maximum(b, 1),
    "Min": np.minimum,
    "Max": np.maximum,
    "EQ": operator.eq,
    "NE": operator.ne,
    "LT": operator.lt,
    "LE": operator.le,
    "GT": operator.gt,
    "GE": operator.ge,
    "And": np.logical_and,
    "Or": np.logical_or,
    "LShift": operator.lshift,
    "RShift": operator.rshift,
    "BitwiseAnd": operator.and_,
    "BitwiseOr": operator.or_,
    "BitwiseXor": operator.xor,
    "shift_left": operator.lshift,
    "shift_right": operator.rshift,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
}


class Evaluator:
    """Evaluates expressions over variables that hold arrays ``[samples, lanes of a warp]``.

    The value of a vector expression has one more axis, over the vector's elements.
    """

    def __init__(self, values: Mapping[tirx.Var, Array]) -> None:
        self._values: dict[tirx.Var, Array] = dict(values)
        self._bound: dict[tirx.Var, Expr] = {}

    def bind(self, variable: tirx.Var, value: Expr) -> None:
        """Names an expression, which is evaluated when it is first asked for."""
        self._bound[variable] = value

    def mentions(self, expression: Expr, variable: tirx.Var) -> bool:
        """Whether a value depends on a variable, by way of names too."""
        if type(expression).__name__ == "Var":
            if expression.same_as(variable):
                return True
            return expression in self._bound and self.mentions(self._bound[expression], variable)
        return any(self.mentions(child, variable) for child in operands(expression))

    def set(self, variable: tirx.Var, values: Array) -> None:
        self._values[variable] = values

    def __call__(self, expression: Expr) -> Array:
        """:raises UnknownValue: the value depends on memory, or on an operation that is not known here."""
        kind = type(expression).__name__
        if kind in ("IntImm", "FloatImm"):
            return np.asarray(expression.value)
        if kind == "Var":
            return self._variable(expression)
        if kind in _BINARY:
            return np.asarray(_BINARY[kind](self(expression.a), self(expression.b)))
        if kind == "Not":
            return np.logical_not(self(expression.a))
        if kind == "Cast":
            return self(expression.value)
        if kind == "Ramp":
            steps = np.arange(int(expression.lanes))
            return self(expression.base)[..., None] + self(expression.stride)[..., None] * steps
        if kind == "Broadcast":
            return self(expression.value)[..., None]
        if kind == "Select":
            return np.where(self(expression.condition), self(expression.true_value), self(expression.false_value))
        if kind == "Let":
            self.bind(expression.var, expression.value)
            return self(expression.body)
        if isinstance(expression, Call):
            return self._call(expression)
        if isinstance(expression, TensorLoad):
            raise UnknownValue(str(expression))
        raise UnknownValue(kind)

    def _variable(self, variable: tirx.Var) -> Array:
        if variable not in self._values:
            if variable not in self._bound:
                raise UnknownValue(variable.name)
            self._values[variable] = self(self._bound[variable])
        return self._values[variable]

    def _call(self, call: Call) -> Array:
        name = call_name(call)
        if name in _BINARY:
            return np.asarray(_BINARY[name](self(call.args[0]), self(call.args[1])))
        if name == "if_then_else":
            return np.where(self(call.args[0]), self(call.args[1]), self(call.args[2]))
        if name == "likely":
            return self(call.args[0])
        raise UnknownValue(name)


_LEAVES = ("IntImm", "FloatImm", "Var", "StringImm")
_FIELDS = ("a", "b", "value", "base", "stride", "condition", "true_value", "false_value", "body")


def operands(node: Expr) -> list[Expr]:
    """The parts of an expression."""
    if type(node).__name__ in _LEAVES:
        return []
    if isinstance(node, Call):
        return list(node.args)
    if isinstance(node, TensorLoad):
        return list(node.indices)
    return [child for field in _FIELDS if isinstance(child := getattr(node, field, None), Expr)]


def call_name(call: Expr) -> str:
    """``if_then_else`` of ``tirx.if_then_else``; empty for what is no call."""
    if not isinstance(call, Call):
        return ""
    return str(getattr(call.op, "name", call.op)).rpartition(".")[2]
