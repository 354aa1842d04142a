"""Recognises activations by their values, however a network spells them.

What is computed from one value alone, element by element, is a function of one number. It is an activation's if it has
that one's values: GELU has dozens of spellings and one graph.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tvm import relax

from tvm_pipeline.passes.dataflow import Dataflow, shape_of
from tvm_pipeline.passes.elementwise_values import ACTIVATIONS, values_of

MOST_OPERATORS = 16
"""In an activation: Mish with its softplus spelled out has eight."""

_SAMPLES = np.concatenate([np.linspace(-12, 12, 241), [-1e4, -300, -95, -40, 40, 95, 300, 1e4]])
_TOLERANCE = 2e-6
"""Of a value, or of 1: constants are float32, and some files round them."""


@dataclass(frozen=True)
class Activation:
    """``name`` as in a layer's epilogue; ``result`` holds it; ``inside`` are the variables between."""

    name: str
    result: relax.Var
    inside: tuple[relax.Var, ...] = ()


def match_activation(flow: Dataflow, value: relax.Var) -> Activation | None:
    """The activation that is computed from ``value``, if all of its users belong to one; the longest there is."""
    matched = None
    values = {value: _SAMPLES}
    for result in _grow(flow, values):
        name = _name_of(values[result])
        if name is not None and _is_closed(flow, values, result):
            inside = tuple(var for var in values if not var.same_as(value) and not var.same_as(result))
            matched = Activation(name, result, inside)
    return matched


def _grow(flow: Dataflow, values: dict[relax.Var, np.ndarray]) -> Iterator[relax.Var]:
    """Adds what can be computed from ``values`` to them, in order."""
    (start,) = values
    waiting = list(dict.fromkeys(flow.users[start]))
    while waiting and len(values) <= MOST_OPERATORS:
        var = waiting.pop(0)
        computed = values_of(flow.producer.get(var), values)
        if var in values or computed is None or shape_of(var) != shape_of(start):
            continue
        values[var] = computed
        waiting += flow.users[var]
        yield var


def _is_closed(flow: Dataflow, values: dict[relax.Var, np.ndarray], result: relax.Var) -> bool:
    """Whether nobody but ``result`` reads what it is made of."""
    return all(var.same_as(result) or flow.is_used_by(var, values) for var in values)


def _name_of(values: np.ndarray) -> str | None:
    with np.errstate(all="ignore"):
        for name, function in ACTIVATIONS.items():
            expected = function(_SAMPLES)
            is_near = np.abs(values - expected) <= _TOLERANCE * np.maximum(1, np.abs(expected))
            if np.all(is_near | (values == expected)):  # exp is infinite at the end
                return name
    return None
