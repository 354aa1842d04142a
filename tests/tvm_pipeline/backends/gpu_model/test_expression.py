"""Values of TIR's expressions against Python's."""

from __future__ import annotations

import numpy as np
import pytest
from tvm import tirx

from tvm_pipeline.backends.gpu_model.expression import Evaluator, UnknownValue

X = tirx.Var("x", "int32")
POINTS = np.arange(-7, 8)[None]


def value(expression: tirx.PrimExpr) -> list[int]:
    return [int(one) for one in Evaluator({X: POINTS})(expression)[0]]


def test_divisions() -> None:
    points = [int(one) for one in POINTS[0]]
    assert value(tirx.floordiv(X, 3)) == [one // 3 for one in points]
    assert value(tirx.floormod(X, 3)) == [one % 3 for one in points]
    assert value(tirx.truncdiv(X, 3)) == [int(one / 3) for one in points]
    assert value(tirx.truncmod(X, 3)) == [one - 3 * int(one / 3) for one in points]


def test_conditions_and_bits() -> None:
    points = [int(one) for one in POINTS[0]]
    assert value(tirx.if_then_else(X < 0, X * 2, X & 3)) == [one * 2 if one < 0 else one & 3 for one in points]
    assert value(tirx.Select(tirx.all(X > 1, X < 4), X << 1, X - 1)) == [
        one << 1 if 1 < one < 4 else one - 1 for one in points
    ]


def test_vectors_have_one_more_axis() -> None:
    assert Evaluator({X: POINTS})(tirx.Ramp(X * 4, 1, 4)).shape == (1, 15, 4)


def test_a_name_is_evaluated_when_asked_for() -> None:
    name, other = tirx.Var("name", "int32"), tirx.Var("other", "int32")
    evaluator = Evaluator({X: POINTS})
    evaluator.bind(name, X + 1)
    assert list(evaluator(name * 2)[0]) == list((POINTS[0] + 1) * 2)
    with pytest.raises(UnknownValue):
        evaluator(other + 1)


def test_what_lies_in_memory_is_unknown() -> None:
    buffer = tirx.decl_buffer((8,), "int32", name="table")
    with pytest.raises(UnknownValue):
        Evaluator({X: POINTS})(buffer[X] + 1)
