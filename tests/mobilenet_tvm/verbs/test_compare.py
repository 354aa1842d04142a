from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.events import Event
from mobilenet_tvm.engines.process import EngineProcess
from mobilenet_tvm.engines.tvm_package import TvmPackage
from mobilenet_tvm.verbs import compare as compare_verb
from mobilenet_tvm.verbs.compare import compare


def _silent(event: Event) -> None:
    """Nobody listens."""


def test_two_targets_beside_two_engines(tiny_onnx: Path, tmp_path: Path) -> None:
    result = compare(
        str(tiny_onnx),
        ["x86-64-v3", "avx2"],
        ["onnxruntime", "openvino"],
        rounds=3,
        csv=tmp_path / "out.csv",
        on_event=_silent,
    )
    assert [(r["engine"], r["target"]) for r in result["results"]] == [
        ("tvm", "x86-64-v3"),
        ("onnxruntime", None),
        ("openvino", None),
    ], "an alias is no second target"
    for ratio in result["ratios"]:
        assert 0 < ratio["p10"] <= ratio["median"] <= ratio["p90"]
    with (tmp_path / "out.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["median_ms"]) for row in rows] == [r["median_ms"] for r in result["results"]]
    assert rows[0]["cpu"] == result["conditions"]["cpu"]


def test_turns_alternate(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    measure = EngineProcess.time

    def watched(self: Any, *arguments: Any) -> list[int]:
        turns.append(self.adapter.name)
        return measure(self, *arguments)

    monkeypatch.setattr(EngineProcess, "time", watched)
    compare(str(tiny_onnx), ["x86-64-v3"], ["onnxruntime"], rounds=2, on_event=_silent)
    assert turns == ["tvm", "onnxruntime", "tvm", "onnxruntime", "onnxruntime", "tvm"], "warm-up, A B, B A"


def test_packages_are_kept(tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(str(tiny_onnx), ["x86-64-v3"], rounds=1, on_event=_silent)

    def unexpected(*_: Any, **__: Any) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(compare_verb, "build_package", unexpected)
    compare(str(tiny_onnx), ["x86-64-v3"], rounds=1, on_event=_silent)
    with pytest.raises(AssertionError, match="compiled again"):
        (tmp_path / "x86-64-v3").mkdir()
        line = '{"schema": 1, "layer": "dense 8->8", "threads": 1, "generator": "g/1", "decisions": {}, '
        line += '"seconds": 1.0, "record": "measured", "campaign": "c"}\n'
        (tmp_path / "x86-64-v3" / "float32.jsonl").write_text(line)
        compare(str(tiny_onnx), ["x86-64-v3"], rounds=1, logs=tmp_path, on_event=_silent)


def test_wrong_numbers_have_no_time(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = EngineProcess.outputs

    def wrong(self: Any, reference: Path) -> list[tuple[np.ndarray, ...]]:
        off = 1 if self.adapter is TvmPackage else 0
        return [tuple(output + off for output in pair) for pair in outputs(self, reference)]

    monkeypatch.setattr(EngineProcess, "outputs", wrong)
    with pytest.raises(SystemFailure, match="tvm x86-64-v3 computes something else"):
        compare(str(tiny_onnx), ["x86-64-v3"], rounds=1, on_event=_silent)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_the_table(command: Callable[..., Any], tiny_onnx: Path) -> None:
    answer = command("compare", tiny_onnx, "--targets", "x86-64-v3", "--threads", "1,2", "--rounds", "1")
    assert answer.code == 0, answer
    assert "tvm x86-64-v3" in answer.out
    assert len([line for line in answer.out.splitlines() if line.startswith("onnxruntime")]) == 2
