"""Recognises activations that the importer spells as several operators."""

from dataclasses import dataclass

from tvm import relax

from tvm_pipeline.passes.dataflow import Dataflow, operator_name, scalar_of


@dataclass(frozen=True)
class Activation:
    """``name`` as in a layer's epilogue; ``result`` holds it; ``inside`` are the variables between."""

    name: str
    result: relax.Var
    inside: tuple[relax.Var, ...] = ()


def match_activation(flow: Dataflow, value: relax.Var) -> Activation | None:
    """The activation that is computed from ``value``, if all of its users belong to one."""
    user = flow.only_user(value)
    if user is not None:
        return _match_single(flow, value, user) or _match_hard_sigmoid(flow, value, user)
    users = list(dict.fromkeys(flow.users[value]))
    return _match_gated(flow, value, users) if len(users) == 2 else None


def _match_single(flow: Dataflow, value: relax.Var, user: relax.Var) -> Activation | None:
    call = flow.producer[user]
    if not isinstance(call, relax.Call):
        return None
    name = {"relax.nn.relu": "relu", "relax.sigmoid": "sigmoid", "relax.nn.silu": "silu"}.get(operator_name(call))
    if name is not None:
        return Activation(name, user)
    if _is_clip(flow, user, value, 0, 6):
        return Activation("relu6", user)
    if operator_name(call) in ("relax.maximum", "relax.minimum"):
        return _match_min_max(flow, value, user)
    return None


def _match_min_max(flow: Dataflow, value: relax.Var, user: relax.Var) -> Activation | None:
    """ReLU and ReLU6 spelled ``minimum(maximum(x, 0), 6)``, in either order."""
    first = _scalar_operand(flow, user, value)
    last = flow.only_user(user)
    if last is not None:
        bounds = {operator_name(flow.producer[user]): first, _name(flow, last): _scalar_operand(flow, last, user)}
        if bounds == {"relax.maximum": 0.0, "relax.minimum": 6.0}:
            return Activation("relu6", last, (user,))
    is_relu = operator_name(flow.producer[user]) == "relax.maximum" and first == 0.0
    return Activation("relu", user) if is_relu else None


def _name(flow: Dataflow, var: relax.Var) -> str:
    value = flow.producer[var]
    return operator_name(value) if isinstance(value, relax.Call) else ""


def _scalar_operand(flow: Dataflow, var: relax.Var, other: relax.Var) -> float | None:
    """The constant that a binary operator combines ``other`` with."""
    call = flow.producer[var]
    if not isinstance(call, relax.Call) or len(call.args) != 2:
        return None
    left, right = call.args
    if left.same_as(other):
        return scalar_of(right)
    return scalar_of(left) if right.same_as(other) else None


def _is_clip(flow: Dataflow, var: relax.Expr, of: relax.Expr, low: float, high: float) -> bool:
    call = flow.call(var, "relax.clip")
    return (
        call is not None and call.args[0].same_as(of) and [scalar_of(bound) for bound in call.args[1:3]] == [low, high]
    )


def _match_hard_sigmoid(flow: Dataflow, value: relax.Var, user: relax.Var) -> Activation | None:
    """``clip(x * 1/6 + 1/2, 0, 1)``."""
    slope = _scalar_operand(flow, user, value) if flow.call(user, "relax.multiply") is not None else None
    shifted = flow.only_user(user)
    if slope is None or abs(slope - 1 / 6) > 1e-6 or shifted is None or flow.call(shifted, "relax.add") is None:
        return None
    result = flow.only_user(shifted)
    if _scalar_operand(flow, shifted, user) != 0.5 or result is None or not _is_clip(flow, result, shifted, 0, 1):
        return None
    return Activation("hard_sigmoid", result, (user, shifted))


def _match_gated(flow: Dataflow, value: relax.Var, users: list[relax.Var]) -> Activation | None:
    """``x * g(x)``: hard-swish and SiLU."""
    for result, start in (users, users[::-1]):
        call = flow.call(result, "relax.multiply")
        if call is None:
            continue
        gate = call.args[1] if call.args[0].same_as(value) else call.args[0]
        if not flow.is_used_once(gate):
            continue
        if flow.call(gate, "relax.sigmoid") is not None and gate.same_as(start):
            return Activation("silu", result, (gate,))
        inside = _hard_swish_gate(flow, value, start, gate)
        if inside is not None:
            return Activation("hard_swish", result, inside)
    return None


def _hard_swish_gate(
    flow: Dataflow, value: relax.Var, start: relax.Var, gate: relax.Var
) -> tuple[relax.Var, ...] | None:
    """The variables of ``clip(x + 3, 0, 6) / 6``, or of ``clip(x * 1/6 + 1/2, 0, 1)``, if ``gate`` is one."""
    hard_sigmoid = _match_hard_sigmoid(flow, value, start)
    if hard_sigmoid is not None and hard_sigmoid.result.same_as(gate):
        return (*hard_sigmoid.inside, gate)
    clipped = flow.only_user(start)
    if flow.call(start, "relax.add") is None or _scalar_operand(flow, start, value) != 3.0 or clipped is None:
        return None
    if not _is_clip(flow, clipped, start, 0, 6) or flow.call(gate, "relax.divide") is None:
        return None
    return (start, clipped, gate) if _scalar_operand(flow, gate, clipped) == 6.0 else None
