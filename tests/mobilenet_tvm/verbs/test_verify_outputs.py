"""verify tells of every output, whatever its dtype, and an error in any one of them fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emulated_places import silent
from onnx_network import Network

from mobilenet_tvm.package.manifest import TOLERANCE
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.reference import Pair, read_reference, with_reference
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.verify import verify

FLOAT, INFINITE, CLASS, POSITIVE, CONSTANT = range(5)


def _network() -> Network:
    """A convolution's result, its logarithm (NaN below 0), its largest channel, its sign, and a constant of it."""
    network = Network()
    y = network.conv(network.input([1, 3, 8, 8]), 3, 6, 3)
    zero = network.constant(np.float32(0))
    results = (
        network.node("Log", y),
        network.node("ArgMax", y, axis=1),
        network.node("Greater", y, zero),
        network.node("Add", network.node("Mul", y, zero), network.constant(np.float32(3))),
    )
    return network.output(y, *results)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    compile(str(_network().save(folder / "network.onnx")), "x86-64-v3", folder / "package", on_event=silent)
    return folder / "package"


def test_all_of_them_are_right(package: Path) -> None:
    result = verify(package, onnx=package.parent / "network.onnx")
    assert result.passed
    assert isinstance(result.outputs, tuple)
    assert [(error.dtype, error.passed) for error in result.outputs] == [
        *(("float32", True), ("float32", True), ("int64", True), ("bool", True), ("float32", True))
    ]
    assert 0 < result.outputs[FLOAT].max_abs_err <= TOLERANCE * result.outputs[FLOAT].output_range
    assert result.outputs[CONSTANT].output_range == 0


def _at_first(array: np.ndarray, value: Any) -> np.ndarray:
    changed = array.copy()
    changed.flat[int(np.isfinite(array).argmax())] = value
    return changed


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (FLOAT, lambda y: y + np.float32(2 * TOLERANCE) * np.ptp(y)),
        (INFINITE, lambda y: _at_first(y, np.nan)),
        (CLASS, lambda y: _at_first(y, (y.flat[0] + 1) % 6)),
        (POSITIVE, lambda y: _at_first(y, not y.flat[0])),
        (CONSTANT, lambda y: y + np.float32(1e-2)),
    ],
)
def test_an_error_in_one_of_them_fails(
    package: Path, number: int, change: Callable[[np.ndarray], np.ndarray], command: Callable[..., Any]
) -> None:
    first, *others = read_reference(package / "reference.npz")
    outputs = list(first.outputs)
    outputs[number] = change(outputs[number])
    with (
        open_package(package) as opened,
        with_reference(opened, [Pair(first.inputs, tuple(outputs)), *others]) as changed,
    ):
        answer = command("verify", changed.folder)
        result = verify(changed.folder)
    assert answer.code == 1
    assert "FAILED" in answer.out
    assert answer.out.count("WRONG") == 1
    assert [error.passed for error in result.outputs or ()] == [index != number for index in range(5)]
