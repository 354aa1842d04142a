"""Every adapter, each in a process of its own, on a real network."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mobilenet_tvm import engines
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.engines.process import EngineProcess, require
from mobilenet_tvm.package.reference import read_first


def test_the_adapters_are_found() -> None:
    assert set(engines.available()) == {"onnxruntime", "openvino", "tvm"}


def test_an_unknown_engine() -> None:
    with pytest.raises(UserError, match="did you mean 'openvino'"):
        engines.find("open-vino")


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = engines.find("openvino")
    monkeypatch.setattr(adapter, "distribution", "no-such-distribution")
    with pytest.raises(UserError, match="openvino is not installed: pip install"):
        require(adapter, 1)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "tvm"])
def test_an_engine_computes_and_is_timed(name: str, tiny_onnx: Path, tiny_package: Path) -> None:
    model = tiny_package if name == "tvm" else tiny_onnx
    reference = tiny_package / "reference.npz"
    _, expected = read_first(reference)
    with EngineProcess(engines.find(name), model, 1, "float32") as process:
        found = process.outputs(reference)
        times = process.time(reference, 0.01, 5)
    for (a,), b in zip(found, expected, strict=True):
        assert np.abs(a - b).max() <= 1e-4 * np.ptp(b)
    assert len(times) >= 5
    assert min(times) > 0


def test_an_engine_keeps_to_its_cores(tiny_onnx: Path) -> None:
    with EngineProcess(engines.find("onnxruntime"), tiny_onnx, 1, "float32") as process:
        pid = process._process.pid
        assert os.sched_getaffinity(pid) == {min(os.sched_getaffinity(0))}


def test_a_model_that_an_engine_does_not_take(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_text("nothing")
    with pytest.raises(SystemFailure, match="onnxruntime: "):
        EngineProcess(engines.find("onnxruntime"), tmp_path / "broken.onnx", 1, "float32").__enter__()


def test_an_engine_that_dies(tiny_onnx: Path, tiny_package: Path) -> None:
    with EngineProcess(engines.find("onnxruntime"), tiny_onnx, 1, "float32") as process:
        process._process.kill()
        with pytest.raises(SystemFailure, match="onnxruntime died"):
            process.time(tiny_package / "reference.npz", 0.01, 1)
