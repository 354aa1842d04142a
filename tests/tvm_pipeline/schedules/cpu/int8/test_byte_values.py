"""What is done to bytes between layers has the same integers as NumPy, whichever vectors compute it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tvm

import targets
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.cpu.int8.byte_values import ByteValues, byte_table, byte_values

_AVX512 = "x86-64-v4"
_needs_avx512 = pytest.mark.skipif(bool(targets.load(_AVX512).missing_here()), reason="this CPU has no AVX-512")
EACH = [pytest.param(_AVX512, marks=_needs_avx512), "x86-64-v3"]
SHAPES = [(1, 2, 49, 16), (2, 3, 35, 8), (1, 3, 1, 8), (1, 5, 300, 16)]
"""Whole vectors and a rest, fewer than a vector, and enough for threads."""


def _numbers() -> np.ndarray:
    return np.array([1_900_007, 900_001, -150_000_000, 13, 3, 250], np.int32)


def _finished(whole: np.ndarray, numbers: np.ndarray, factor: np.ndarray) -> np.ndarray:
    near = np.rint(whole.astype(np.int32).astype(np.float32) * factor) + np.float32(numbers[3])
    return np.clip(near, numbers[4], numbers[5]).astype(np.uint8)


def _add(random: np.random.Generator, data: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    other, numbers, factor = random.permutation(data.ravel()), _numbers(), np.array([2.0**-21], np.float32)
    right = other.reshape(data.shape)
    whole = data.astype(np.int64) * numbers[0] + right.astype(np.int64) * numbers[1] + numbers[2]
    return [data, right, numbers, factor], _finished(whole, numbers, factor)


def _multiply(random: np.random.Generator, data: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    gate = random.integers(0, 256, (*data.shape[:2], 1, data.shape[3])).astype(np.uint8)
    numbers, factor = _numbers(), np.array([0.0061], np.float32)
    numbers[:2] = 117, 3
    return [data, gate, numbers, factor], _finished((data.astype(int) - 117) * (gate.astype(int) - 3), numbers, factor)


def _mean(_: np.random.Generator, data: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    numbers, factor = _numbers(), np.array([1.3 / data.shape[2]], np.float32)
    numbers[2] = -100 * data.shape[2]
    return [data, numbers, factor], _finished((data.astype(int) - 100).sum(2, keepdims=True), numbers, factor)


CASES: dict[str, Callable[[np.random.Generator, np.ndarray], tuple[list[np.ndarray], np.ndarray]]] = {
    "add": _add,
    "multiply": _multiply,
    "mean": _mean,
}


def _result(values: ByteValues, target: CpuTarget, arguments: list[np.ndarray]) -> np.ndarray:
    with target.tvm:
        kernel = byte_values(values, target.unit).with_attr("global_symbol", "main")
        module = tvm.compile(tvm.IRModule({"main": kernel}), target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)
    result = tvm.runtime.tensor(np.zeros(values.result, np.uint8))
    module["main"](*map(tvm.runtime.tensor, arguments), result)
    return np.asarray(result.numpy())


@pytest.mark.parametrize("target", EACH)
def test_the_same_integers_as_numpy(target: str) -> None:
    random, built = np.random.default_rng(0), CpuTarget.from_json(targets.load(target).to_json())
    for shape in SHAPES:
        data = random.integers(0, 256, shape).astype(np.uint8)
        for kind, case in CASES.items():
            arguments, right = case(random, data)
            made = _result(ByteValues(kind, shape), built, arguments)
            np.testing.assert_array_equal(made, right, err_msg=f"{kind} {shape}")
            assert len(np.unique(right)) > min(20, right.size // 8), "alive"
        table = random.permutation(256).astype(np.uint8)
        rows = byte_table(table, built.unit)
        np.testing.assert_array_equal(_result(ByteValues("table", shape), built, [data, rows]), table[data])
