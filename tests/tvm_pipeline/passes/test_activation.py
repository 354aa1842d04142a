"""Activations are recognised however ONNX spells them, and nothing else is taken for one."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from compiled_network import Compiled
from onnx_network import Network

Spelling = Callable[[Network, str], str]


def _clip(low: float, high: float) -> Spelling:
    return lambda network, x: network.node("Clip", x, network.constant(low), network.constant(high))


def _hard_swish_by_clip(network: Network, x: str) -> str:
    clipped = _clip(0.0, 6.0)(network, network.node("Add", x, network.constant(3.0)))
    return network.node("Mul", x, network.node("Div", clipped, network.constant(6.0)))


def _relu6_of_max_and_min(network: Network, x: str) -> str:
    return network.node("Min", network.node("Max", x, network.constant(0.0)), network.constant(6.0))


def _relu6_of_min_and_max(network: Network, x: str) -> str:
    return network.node("Max", network.constant(0.0), network.node("Min", network.constant([6.0]), x))


def _gelu(*factors: str) -> Spelling:
    """The factors of GELU's product in any order: ``x``, ``half``, and ``rest``, 1 + erf(x / sqrt 2)."""

    def build(network: Network, x: str) -> str:
        root = network.node("Mul", x, network.constant(math.sqrt(0.5)))
        rest = network.node("Add", network.constant(1.0), network.node("Erf", root))
        operands = {"x": x, "half": network.constant(0.5), "rest": rest}
        first, second, third = (operands[factor] for factor in factors)
        return network.node("Mul", network.node("Mul", first, second), third)

    return build


def _gelu_tanh(network: Network, x: str) -> str:
    cube = network.node("Mul", network.node("Pow", x, network.constant(3.0)), network.constant(0.044715))
    inner = network.node("Mul", network.node("Add", x, cube), network.constant(math.sqrt(2 / math.pi)))
    half = network.node("Mul", network.constant(0.5), x)
    return network.node("Mul", half, network.node("Add", network.node("Tanh", inner), network.constant(1.0)))


def _mish(network: Network, x: str) -> str:
    return network.node("Mul", network.node("Tanh", network.node("Softplus", x)), x)


def _hard_swish_by_relu6(network: Network, x: str) -> str:
    clipped = _clip(0.0, 6.0)(network, network.node("Add", network.constant(3.0), x))
    return network.node("Mul", network.node("Mul", x, clipped), network.constant(1 / 6))


RECOGNISED: dict[str, tuple[str, Spelling]] = {
    "Relu": ("relu", lambda network, x: network.node("Relu", x)),
    "Max with 0": ("relu", lambda network, x: network.node("Max", x, network.constant(0.0))),
    "Clip from 0": ("relu", lambda network, x: network.node("Clip", x, network.constant(0.0))),
    "Clip 0 to 6": ("relu6", _clip(0.0, 6.0)),
    "Max and Min": ("relu6", _relu6_of_max_and_min),
    "Min and Max": ("relu6", _relu6_of_min_and_max),
    "HardSwish": ("hard_swish", lambda network, x: network.node("HardSwish", x)),
    "HardSwish by Clip": ("hard_swish", _hard_swish_by_clip),
    "x * HardSigmoid(x)": (
        "hard_swish",
        lambda network, x: network.node("Mul", network.node("HardSigmoid", x, alpha=1 / 6), x),
    ),
    "HardSigmoid": ("hard_sigmoid", lambda network, x: network.node("HardSigmoid", x, alpha=1 / 6)),
    "Sigmoid": ("sigmoid", lambda network, x: network.node("Sigmoid", x)),
    "x * Sigmoid(x)": ("silu", lambda network, x: network.node("Mul", x, network.node("Sigmoid", x))),
    "HardSwish by ReLU6 and a sixth": ("hard_swish", _hard_swish_by_relu6),
    "Tanh": ("tanh", lambda network, x: network.node("Tanh", x)),
    "Exp": ("exp", lambda network, x: network.node("Exp", x)),
    "Softplus": ("softplus", lambda network, x: network.node("Softplus", x)),
    "Mish": ("mish", lambda network, x: network.node("Mish", x)),
    "x * Tanh(Softplus(x))": ("mish", _mish),
    "(x / 2) (1 + erf)": ("gelu", _gelu("x", "half", "rest")),
    "(1 + erf) x / 2": ("gelu", _gelu("rest", "x", "half")),
    "(1 + erf) / 2 x": ("gelu", _gelu("half", "rest", "x")),
    "GELU by tanh": ("gelu_tanh", _gelu_tanh),
    "Sigmoid(x) * x": ("silu", lambda network, x: network.node("Mul", network.node("Sigmoid", x), x)),
}

FOREIGN: dict[str, Spelling] = {
    "Clip 0 to 5": _clip(0.0, 5.0),
    "Clip -1 to 6": _clip(-1.0, 6.0),
    "Max with 1": lambda network, x: network.node("Max", x, network.constant(1.0)),
    "Min with 6": lambda network, x: network.node("Min", x, network.constant(6.0)),
    "HardSigmoid with ONNX's own slope": lambda network, x: network.node("HardSigmoid", x),
    "x * Sigmoid(x) with the gate used again": lambda network, x: network.node(
        "Add", network.node("Mul", x, gate := network.node("Sigmoid", x)), gate
    ),
    "LeakyRelu": lambda network, x: network.node("LeakyRelu", x, alpha=0.1),
    "Erf": lambda network, x: network.node("Erf", x),
    "GELU by a sigmoid": lambda network, x: network.node(
        "Mul", x, network.node("Sigmoid", network.node("Mul", x, network.constant(1.702)))
    ),
}


def _network(spelling: Spelling) -> Network:
    network = Network()
    x = network.conv(network.input([1, 8, 6, 5]), 8, 16)
    return network.output(spelling(network, x))


def _wide(compiled: Compiled) -> list[np.ndarray]:
    """Inputs that reach all parts of every activation."""
    return [4 * one for one in compiled.inputs()]


@pytest.mark.parametrize("spelling", RECOGNISED)
def test_activation_becomes_part_of_the_kernel(spelling: str, compile_network: Callable[..., Compiled]) -> None:
    name, build = RECOGNISED[spelling]
    compiled = compile_network(_network(build))
    assert compiled.layers == [f"pointwise 6x5x8->16 bias {name}"]
    assert compiled.error(_wide(compiled)) < 1e-5


@pytest.mark.parametrize("spelling", FOREIGN)
def test_anything_else_stays_an_operator_of_its_own(spelling: str, compile_network: Callable[..., Compiled]) -> None:
    compiled = compile_network(_network(FOREIGN[spelling]))
    assert compiled.layers == ["pointwise 6x5x8->16 bias"]
    assert compiled.error(_wide(compiled)) < 1e-5


def test_activation_is_not_fused_where_its_input_is_an_output_too(
    compile_network: Callable[..., Compiled], tmp_path: Path
) -> None:
    network = Network()
    x = network.conv(network.input([1, 8, 6, 5]), 8, 16)
    compiled = compile_network(network.output(x, network.node("HardSwish", x)))
    assert compiled.layers == ["pointwise 6x5x8->16 bias"]
    assert compiled.error() < 1e-5
