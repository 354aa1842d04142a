"""Collects what can be computed on a kernel's result before it is stored."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tvm import relax

from tvm_pipeline.passes.activation import match_activation
from tvm_pipeline.passes.dataflow import Dataflow, constant_of, operator_name, shape_of


@dataclass(frozen=True)
class Affine:
    """``weight`` with per-channel scales folded in (output channels first), and what is added afterwards."""

    weight: np.ndarray
    bias: np.ndarray | None


@dataclass(frozen=True)
class Epilogue:
    """A chain of operators behind a kernel: ``result`` is its last variable, ``inside`` are those before it."""

    names: tuple[str, ...]
    affine: Affine
    residual: relax.Var | None
    result: relax.Var
    inside: tuple[relax.Var, ...]


def match_epilogue(
    flow: Dataflow,
    start: relax.Var,
    weight: np.ndarray,
    is_ready: Callable[[relax.Var], bool],
    bias: np.ndarray | None = None,
) -> Epilogue:
    """Follows the users of ``start`` as far as they can be fused: scale and bias, activation, residual, activation.

    ``is_ready`` tells whether a value was computed before ``start``: only then can it be the residual.
    ``bias`` is what ``start`` has added already.
    """
    matcher = _Matcher(flow, start, Affine(weight, bias))
    matcher.take_affine()
    names = ["bias"] if matcher.affine.bias is not None else []
    activation = matcher.take_activation()
    names += [activation] if activation else []
    residual = matcher.take_residual(is_ready)
    if residual is not None:
        names.append("add")
        activation = matcher.take_activation()
        names += [activation] if activation else []
    return Epilogue(tuple(names), matcher.affine, residual, matcher.result, tuple(matcher.inside))


class _Matcher:
    def __init__(self, flow: Dataflow, start: relax.Var, affine: Affine) -> None:
        self.flow = flow
        self.result = start
        self.affine = affine
        self.inside: list[relax.Var] = []

    def _advance(self, result: relax.Var, *inside: relax.Var) -> None:
        self.inside += [self.result, *inside]
        self.result = result

    def take_affine(self) -> None:
        """Folds additions and multiplications by per-channel constants into weight and bias, up to an activation."""
        while (user := self.flow.only_user(self.result)) is not None and match_activation(
            self.flow, self.result
        ) is None:
            folded = self._fold(self.flow.producer[user])
            if folded is None:
                return
            self.affine = folded
            self._advance(user)

    def _fold(self, value: relax.Expr) -> Affine | None:
        if not isinstance(value, relax.Call) or len(value.args) != 2:
            return None
        is_left = value.args[0].same_as(self.result)
        shape = shape_of(self.result)
        axis = len(shape) - 1 if self.affine.weight.ndim == 2 else 1  # a dense layer's channels come last
        operand = per_channel(value.args[1 if is_left else 0], shape, axis)
        operator = operator_name(value)
        if operand is None or (operator in ("relax.subtract", "relax.divide") and not is_left):
            return None
        bias = self.affine.bias
        if operator in ("relax.add", "relax.subtract"):
            added = operand if operator == "relax.add" else -operand
            return Affine(self.affine.weight, added if bias is None else bias + added)
        if operator in ("relax.multiply", "relax.divide"):
            scale = operand if operator == "relax.multiply" else 1 / operand
            weight = self.affine.weight * scale.reshape(-1, *[1] * (self.affine.weight.ndim - 1))
            return Affine(weight, None if bias is None else bias * scale)
        return None

    def take_activation(self) -> str | None:
        activation = match_activation(self.flow, self.result)
        if activation is None:
            return None
        self._advance(activation.result, *activation.inside)
        return activation.name

    def take_residual(self, is_ready: Callable[[relax.Var], bool]) -> relax.Var | None:
        user = self.flow.only_user(self.result)
        call = self.flow.call(user, "relax.add") if user is not None else None
        if call is None:
            return None
        other = call.args[1] if call.args[0].same_as(self.result) else call.args[0]
        if not isinstance(other, relax.Var) or shape_of(other) != shape_of(self.result) or not is_ready(other):
            return None
        self._advance(user)
        return other


def per_channel(operand: relax.Expr, shape: tuple[int, ...], axis: int = 1) -> np.ndarray | None:
    """``[C]`` float32 for a constant that broadcasts along one axis of ``shape`` (a scalar too), else None."""
    value = constant_of(operand)
    if value is None or value.dtype != np.float32:
        return None
    if value.size == 1:
        return np.full(shape[axis], value.reshape(()), np.float32)
    aligned = value.reshape((1,) * (len(shape) - value.ndim) + value.shape) if value.ndim <= len(shape) else value
    wanted = tuple(extent if place == axis else 1 for place, extent in enumerate(shape))
    return value.reshape(-1) if aligned.shape == wanted else None
