"""A Relax function's bindings as a graph that can be asked who makes and who uses a value."""

from collections import defaultdict
from collections.abc import Container, Iterable

import numpy as np
from tvm import ir, relax


class Dataflow:
    """The bindings of one function in order; variables are compared by identity."""

    def __init__(self, function: relax.Function) -> None:
        self.parameters = list(function.params)
        self.bindings: list[tuple[relax.Var, relax.Expr]] = [
            (binding.var, binding.value) for block in function.body.blocks for binding in block.bindings
        ]
        self.output = function.body.body
        self.producer: dict[relax.Var, relax.Expr] = dict(self.bindings)
        self.users: dict[relax.Var, list[relax.Var]] = defaultdict(list)
        self._uses: dict[relax.Var, int] = defaultdict(int)
        for var, value in self.bindings:
            for used in variables_of(value):
                self.users[used].append(var)
                self._uses[used] += 1
        for used in variables_of(self.output):
            self._uses[used] += 1

    def only_user(self, var: relax.Var) -> relax.Var | None:
        """The one variable computed from ``var``; None where there are more, or ``var`` is an output."""
        users = set(self.users[var])
        return users.pop() if len(users) == 1 and self._uses[var] == len(self.users[var]) else None

    def is_used_by(self, var: relax.Var, readers: Container[relax.Var]) -> bool:
        """Whether nobody else reads ``var``, and it is no output."""
        return self._uses[var] == len(self.users[var]) and all(user in readers for user in self.users[var])

    def is_used_once(self, var: relax.Expr) -> bool:
        return isinstance(var, relax.Var) and self._uses[var] == 1

    def call(self, expression: relax.Expr, operator: str) -> relax.Call | None:
        """The call that makes ``expression``, if it is one of ``operator`` (a name like ``relax.add``)."""
        value = self.producer.get(expression) if isinstance(expression, relax.Var) else expression
        return value if isinstance(value, relax.Call) and operator_name(value) == operator else None


def variables_of(expression: relax.Expr) -> list[relax.Var]:
    """The variables in an expression, one that is used twice twice."""
    used: list[relax.Var] = []
    relax.analysis.post_order_visit(expression, lambda node: used.append(node) if isinstance(node, relax.Var) else None)
    return used


def operator_name(call: relax.Call) -> str:
    """``relax.add``, say; an empty text for a call of something that is not an operator."""
    return str(getattr(call.op, "name", ""))


def shape_of(expression: relax.Expr) -> tuple[int, ...]:
    """The static shape of a tensor."""
    return tuple(int(extent) for extent in expression.ty.shape)


def constant_of(expression: relax.Expr) -> np.ndarray | None:
    """The value of a constant tensor, else None."""
    return expression.value.numpy() if isinstance(expression, ir.GenericConst) else None


def scalar_of(expression: relax.Expr) -> float | None:
    """The value of a constant with one element, or of a primitive value; else None."""
    if isinstance(expression, ir.GenericConst):
        value = expression.value.numpy()
        return float(value.reshape(())) if value.size == 1 else None
    primitive = getattr(expression, "value", None)
    inner = getattr(primitive, "value", primitive)
    return float(inner) if isinstance(inner, int | float) else None


def pair(values: Iterable[int]) -> tuple[int, int]:
    """(rows, columns) of an attribute that is one or two numbers."""
    first, *rest = [int(value) for value in values]
    return first, rest[0] if rest else first


def four(values: Iterable[int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of an attribute that is one, two or four numbers."""
    sides = [int(value) for value in values]
    top, left, bottom, right = sides * (4 // len(sides))
    return top, left, bottom, right
