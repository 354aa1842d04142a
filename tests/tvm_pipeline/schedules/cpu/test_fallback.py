"""Kernels that no generator knows compute what they define, whatever sizes their axes have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tvm
from tvm import te, tirx

from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.cpu.fallback import schedule_fallback

SIZES = (1, 3, 16, 65, 197)
"""Of rows: less than a vector, one, several with and without a rest, and a prime that no divisor cuts."""

REDUCERS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sum": (te.sum, np.sum),
    "max": (te.max, np.max),
    "min": (te.min, np.min),
}


def softmax(axis: int, *shape: int) -> tuple[list[te.Tensor], Callable[..., np.ndarray]]:
    """Over one axis of three, with the exponential as a stage of its own."""
    data = te.placeholder(shape, "float32", "data")
    rest = [extent for place, extent in enumerate(shape) if place != axis]

    def at(index: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
        return (*index[:axis], value, *index[axis:])

    def drop(index: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value for place, value in enumerate(index) if place != axis)

    k = te.reduce_axis((0, shape[axis]), "k")
    largest = te.compute(rest, lambda *index: te.max(data(*at(index, k)), axis=[k]), "largest")
    power = te.compute(shape, lambda *index: te.exp(data(*index) - largest(*drop(index))), "power")
    j = te.reduce_axis((0, shape[axis]), "j")
    total = te.compute(rest, lambda *index: te.sum(power(*at(index, j)), axis=[j]), "total")
    result = te.compute(shape, lambda *index: power(*index) / total(*drop(index)), "result")

    def expected(value: np.ndarray) -> np.ndarray:
        powers = np.exp(value - value.max(axis, keepdims=True))
        return np.asarray(powers / powers.sum(axis, keepdims=True))

    return [data, result], expected


def reduction(name: str, axis: int, *shape: int) -> tuple[list[te.Tensor], Callable[..., np.ndarray]]:
    reduce_by, expected = REDUCERS[name]
    data = te.placeholder(shape, "float32", "data")
    k = te.reduce_axis((0, shape[axis]), "k")
    rest = [extent for place, extent in enumerate(shape) if place != axis]
    result = te.compute(rest, lambda *index: reduce_by(data(*index[:axis], k, *index[axis:]), axis=[k]), "result")
    return [data, result], lambda value: np.asarray(expected(value, axis))


def transposition(*shape: int) -> tuple[list[te.Tensor], Callable[..., np.ndarray]]:
    data = te.placeholder(shape, "float32", "data")
    result = te.compute((shape[0], shape[2], shape[1]), lambda n, i, j: data[n, j, i] + 1.0, "result")
    return [data, result], lambda value: value.transpose(0, 2, 1) + 1


def border(*shape: int) -> tuple[list[te.Tensor], Callable[..., np.ndarray]]:
    data = te.placeholder(shape, "float32", "data")

    def read(n: Any, i: Any, j: Any) -> Any:
        return tirx.if_then_else(tirx.all(j >= 1, j < shape[2] + 1), data[n, i, j - 1], tirx.const(0.5, "float32"))

    result = te.compute((shape[0], shape[1], shape[2] + 2), read, "result")
    return [data, result], lambda value: np.pad(value, [(0, 0), (0, 0), (1, 1)], constant_values=0.5)


KERNELS = {
    **{f"softmax rows {size}": softmax(2, 2, 9, size) for size in SIZES},
    **{f"softmax columns {size}": softmax(1, 2, 9, size) for size in SIZES},
    **{f"softmax outermost {size}": softmax(0, 5, 2, size) for size in SIZES},
    **{f"{name} row {size}": reduction(name, 2, 3, 4, size) for size in SIZES for name in REDUCERS},
    **{f"{name} column {size}": reduction(name, 1, 3, 40, size) for size in SIZES for name in REDUCERS},
    **{f"transposed {size}x{other}": transposition(2, size, other) for size, other in ((16, 49), (65, 64), (7, 5))},
    **{f"border {size}": border(2, 3, size) for size in SIZES},
}


@pytest.mark.parametrize("name", KERNELS)
def test_result(name: str, each_target: CpuTarget) -> None:
    tensors, expected = KERNELS[name]
    kernel = te.create_prim_func(tensors).with_attr("global_symbol", "main")
    scheduled = schedule_fallback(kernel, each_target.unit)
    run = tvm.compile(tvm.IRModule({"main": scheduled}), target=each_target.tvm, tir_pipeline=CODEGEN_PIPELINE)
    shapes = [[int(extent) for extent in tensor.shape] for tensor in tensors]
    value = np.random.default_rng(0).standard_normal(shapes[0]).astype(np.float32) * 3
    result = tvm.runtime.tensor(np.full(shapes[1], np.nan, np.float32))
    run["main"](tvm.runtime.tensor(value), result)
    np.testing.assert_allclose(result.numpy(), expected(value), rtol=1e-5, atol=1e-5)


def test_a_row_is_reduced_by_vectors(target: CpuTarget) -> None:
    tensors, _ = reduction("sum", 2, 3, 4, 197)
    text = schedule_fallback(te.create_prim_func(tensors), target.unit).script()
    assert "T.vectorized(32)" in text and "for rest in range(5)" in text
