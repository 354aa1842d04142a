"""Recognises normalisations that are spelled as means, differences and a quotient."""

from dataclasses import dataclass

from tvm import relax

from tvm_pipeline.passes.dataflow import Dataflow, operator_name, scalar_of, shape_of


@dataclass(frozen=True)
class Statistics:
    """``(data - mean) / sqrt(variance + epsilon)``, the mean and the variance over ``axes``.

    :ivar axes: ascending, none negative.
    """

    data: relax.Var
    axes: tuple[int, ...]
    epsilon: float


def match_statistics(flow: Dataflow, quotient: relax.Call) -> Statistics | None:
    """What a quotient of a difference and a deviation normalises; None where it is another quotient."""
    difference = flow.call(quotient.args[0], "relax.subtract")
    root = flow.call(quotient.args[1], "relax.sqrt")
    shifted = flow.call(root.args[0], "relax.add") if root is not None else None
    if difference is None or shifted is None:
        return None
    epsilon = scalar_of(shifted.args[1])
    data = difference.args[0]
    axes = _axes_of_mean(flow, difference.args[1], data)
    if epsilon is None or axes is None or not isinstance(data, relax.Var):
        return None
    is_variance = _is_variance(flow, shifted.args[0], data, axes)
    return Statistics(data, axes, epsilon) if is_variance else None


def _axes_of_mean(
    flow: Dataflow, value: relax.Expr, data: relax.Expr, of: str = "relax.mean"
) -> tuple[int, ...] | None:
    """Over which axes ``value`` is the mean of ``data``, axes kept."""
    call = flow.call(value, of)
    if call is None or not call.args[0].same_as(data) or not bool(call.attrs.keepdims) or call.attrs.axis is None:
        return None
    rank = len(shape_of(data))
    return tuple(sorted(int(axis) % rank for axis in call.attrs.axis))


def _is_variance(flow: Dataflow, value: relax.Expr, data: relax.Var, axes: tuple[int, ...]) -> bool:
    if _axes_of_mean(flow, value, data, "relax.variance") == axes:
        return True
    mean = flow.call(value, "relax.mean")
    square = flow.producer.get(mean.args[0]) if mean is not None and isinstance(mean.args[0], relax.Var) else None
    if mean is None or not isinstance(square, relax.Call) or _axes_of_mean(flow, value, mean.args[0]) != axes:
        return False
    difference = flow.call(square.args[0], "relax.subtract")
    if (
        difference is None
        or not difference.args[0].same_as(data)
        or _axes_of_mean(flow, difference.args[1], data) != axes
    ):
        return False
    if operator_name(square) == "relax.multiply":
        return bool(square.args[1].same_as(square.args[0]))
    return operator_name(square) == "relax.power" and scalar_of(square.args[1]) == 2.0
