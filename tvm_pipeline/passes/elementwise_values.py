"""What Relax's elementwise operators and a layer's activations compute, in NumPy and float64."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from tvm import relax

from tvm_pipeline.passes.dataflow import operator_name, scalar_of

Function = Callable[[np.ndarray], np.ndarray]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0, x))


def _gelu(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * (0.5 + 0.5 * _erf(x * math.sqrt(0.5))))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * (0.5 + 0.5 * np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


ACTIVATIONS: Mapping[str, Function] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "tanh": np.tanh,
    "exp": np.exp,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "softplus": _softplus,
    "mish": lambda x: x * np.tanh(_softplus(x)),
}
"""By the names of a layer's epilogue."""

_OPERATORS: Mapping[str, Callable[..., np.ndarray]] = {
    "relax.add": np.add,
    "relax.subtract": np.subtract,
    "relax.multiply": np.multiply,
    "relax.divide": np.divide,
    "relax.maximum": np.maximum,
    "relax.minimum": np.minimum,
    "relax.power": np.power,
    "relax.clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "relax.negative": np.negative,
    "relax.abs": np.abs,
    "relax.exp": np.exp,
    "relax.log": np.log,
    "relax.tanh": np.tanh,
    "relax.erf": _erf,
    "relax.sigmoid": _sigmoid,
    "relax.square": np.square,
    "relax.nn.relu": ACTIVATIONS["relu"],
    "relax.nn.silu": ACTIVATIONS["silu"],
    "relax.nn.gelu": _gelu,
    "relax.nn.gelu_tanh": _gelu_tanh,
}
"""Those without attributes."""


def values_of(expression: relax.Expr | None, values: Mapping[relax.Var, np.ndarray]) -> np.ndarray | None:
    """What a call gives where its operands have ``values`` or are constant numbers; None where it is another."""
    if not isinstance(expression, relax.Call) or operator_name(expression) not in _OPERATORS:
        return None
    operands = [values.get(part) if isinstance(part, relax.Var) else scalar_of(part) for part in expression.args]
    if any(operand is None for operand in operands):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(_OPERATORS[operator_name(expression)](*operands))
