"""Elementary functions against float64 over all of float32, vectorised on every target, whatever calls what."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import tvm
from tvm import te, tirx
from tvm.s_tir import Schedule

from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.intrinsics.extremes import at_least, at_most

Expression = tvm.ir.Expr
Function = Callable[[Expression], Expression]
Reference = Callable[[np.ndarray], np.ndarray]

SIZE = 1 << 18
"""Of all float32 one in 16,381."""
EDGES = (0, 1, 0x007FFFFF, 0x00800000, 0x3F800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000)
LIMITS_OF_EXP = (0x42B17217, 0x42B17219, 0x42CFF1B4, 0x42CFF1B6)
"""As bits: 0, least and largest denormal, least normal, 1, the largest, infinity, NaN; about +-88.7 and -104."""

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, np.exp(np.minimum(x, 0)), 1) / (1 + np.exp(-np.abs(x)))


def _power(exponent: float, base: Expression) -> Expression:
    return tirx.pow(base, tirx.const(exponent, "float32"))


def _float_power(exponent: float, x: np.ndarray) -> np.ndarray:
    """C's; NumPy takes the square root where it may not (C99, F.9.4.4)."""
    return np.where(np.isneginf(x), np.inf, np.sqrt(x + 0.0)) if exponent == 0.5 else np.power(x, exponent)


FUNCTIONS: dict[str, tuple[Function, Reference, float]] = {
    "exp": (tirx.exp, np.exp, 2),
    "sigmoid": (tirx.sigmoid, _sigmoid, 4),
    "tanh": (tirx.tanh, np.tanh, 4),
    "erf": (tirx.erf, _erf, 3),
    "log": (tirx.log, np.log, 2),
    **{
        f"power {n}": (partial(_power, n), lambda x, n=n: np.power(x, n), 7) for n in (-16.0, -3.0, -1.0, 0.0, 1.0, 2.0)
    },
    **{
        f"power {n}": (partial(_power, n), partial(_float_power, n), 5)
        for n in (-4.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    },
    "power 0.5": (partial(_power, 0.5), partial(_float_power, 0.5), 1),
}


def _kernel(function: Function, size: int, lanes: int) -> tvm.IRModule:
    """``function`` of each element, by vectors of ``lanes``."""
    data = te.placeholder((size,), "float32", name="data")
    result = te.compute((size,), lambda index: function(data(index)), name="result")
    schedule = Schedule(te.create_prim_func([data, result]))
    loop = schedule.get_loops(schedule.get_sblock("result"))[0]
    if lanes > 1:
        schedule.vectorize(schedule.split(loop, [None, lanes])[1])
    return schedule.mod


def _build(function: Function, size: int, lanes: int, target: CpuTarget) -> tvm.runtime.Executable:
    return tvm.compile(_kernel(function, size, lanes), target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)


def _run(function: Function, data: np.ndarray, target: CpuTarget, lanes: int | None = None) -> np.ndarray:
    result = tvm.runtime.tensor(np.zeros_like(data))
    _build(function, data.size, lanes or target.unit.lanes, target)["main"](tvm.runtime.tensor(data), result)
    return result.numpy()


def _inputs() -> np.ndarray:
    """Every sign, exponent and a share of the mantissas."""
    positive = np.array([*EDGES, *LIMITS_OF_EXP], np.uint32)
    special = np.concatenate([positive, positive | np.uint32(1 << 31)])
    spread = np.linspace(0, 2**32 - 1, SIZE - special.size).astype(np.uint32)
    return np.concatenate([special, spread]).view(np.float32)


def _ulps(result: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The deviation in units of the last place of float32; infinite where one is NaN or infinite and the other not."""
    with np.errstate(over="ignore"):
        rounded = exact.astype(np.float32)
    unit = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1)))
    with np.errstate(invalid="ignore"):
        ulps = np.abs(result.astype(np.float64) - exact) / unit
    is_same = (result == rounded) | (np.isnan(result) & np.isnan(rounded))
    return np.where(np.isfinite(rounded) & np.isfinite(result), ulps, np.where(is_same, 0, np.inf))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_exact_to_a_few_ulps(name: str, each_target: CpuTarget) -> None:
    function, reference, limit = FUNCTIONS[name]
    data = _inputs()
    with np.errstate(all="ignore"):
        exact = reference(data.astype(np.float64))
    ulps = _ulps(_run(function, data, each_target), exact)
    worst = int(ulps.argmax())
    assert ulps[worst] <= limit, f"{name}({data[worst]!r}) is off by {ulps[worst]:.2f} ulp"


def test_scalars_get_the_same_numbers(target: CpuTarget) -> None:
    data = _inputs()[:1001]
    for name, (function, reference, limit) in FUNCTIONS.items():
        with np.errstate(all="ignore"):
            exact = reference(data.astype(np.float64))
        assert _ulps(_run(function, data, target, lanes=1), exact).max() <= limit, name


@pytest.mark.parametrize("preset", ["each", "board"])
def test_no_vector_is_taken_apart(preset: str, each_target: CpuTarget, board: CpuTarget) -> None:
    target = board if preset == "board" else each_target

    def all_of_them(x: Expression) -> Expression:
        return tirx.exp(x) + tirx.sigmoid(x) * tirx.tanh(x) - tirx.erf(x) / tirx.log(x) + _power(3.0, x)

    assembly = _build(all_of_them, 64, target.unit.lanes, target).mod.inspect_source("s")
    assert not re.findall(r"\b(?:call\w*|bl)\s+\S*(?:exp|tanh|erf|log|pow)\w*", assembly)


def test_functions_of_functions_compile(target: CpuTarget) -> None:
    def mish(x: Expression) -> Expression:
        one = tirx.const(1.0, "float32")
        return x * tirx.tanh(tirx.log(one + tirx.exp(x)))

    data = np.linspace(-20, 20, 4096, dtype=np.float32)
    exact = data * np.tanh(np.log1p(np.exp(data.astype(np.float64))))
    assert np.abs(_run(mish, data, target) - exact).max() < 1e-5


def test_limits_let_nan_pass(each_target: CpuTarget) -> None:
    data = np.array([np.nan, -np.inf, -1, 0, 5, 7, np.inf, np.nan] * 8, np.float32)

    def relu6(x: Expression) -> Expression:
        return at_most(at_least(x, tirx.const(0.0, "float32")), tirx.const(6.0, "float32"))

    np.testing.assert_array_equal(_run(relu6, data, each_target), np.clip(data, 0, 6))


@pytest.mark.parametrize(("preset", "instruction"), [("target", "vmaxps"), ("board", "fmax")])
def test_a_limit_is_one_instruction(preset: str, instruction: str, request: pytest.FixtureRequest) -> None:
    target = request.getfixturevalue(preset)

    def relu(x: Expression) -> Expression:
        return at_least(x, tirx.const(0.0, "float32"))

    lanes = target.unit.lanes
    assembly = _build(relu, lanes, lanes, target).mod.inspect_source("s")
    of_vectors = r"^\s+((?:vmax|vcmp|vblend|vand|fmax|fcm|bi[tfc]|bsl)\w*)\s"
    conversions = ".text.tvm.fp16.conv"
    assert re.findall(of_vectors, assembly.partition(conversions)[0], re.MULTILINE) == [instruction]
