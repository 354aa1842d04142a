"""Tuning for a GPU over RPC: the board is TVM's own server, its GPU an emulated one, whose times go into no log."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, Trial, Warned, warn_only
from mobilenet_tvm.verbs.tune import tune


def test_kernels_run_on_the_gpu_behind_the_server(gpu_board: str, tiny_onnx: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    result = tune(str(tiny_onnx), "a100", device=gpu_board, trials=3, logs=tmp_path, on_event=events.append)
    trials = [event for event in events if isinstance(event, Trial)]
    assert [trial.error for trial in trials] == [None, None, None]
    assert all(trial["seconds"] > 0 for trial in trials)
    assert (result["trials"], result["log"]) == (3, None)
    assert any("is an emulator" in event.message for event in events if isinstance(event, Warned))
    assert not (tmp_path / "cuda-sm_80").exists()


def test_another_kind_of_gpu_is_refused(gpu_board: str, tiny_onnx: Path) -> None:
    with pytest.raises(UserError, match=r"compute capability 8\.0 .*, the target is for 8\.6: tune for cuda-sm_80"):
        tune(str(tiny_onnx), "cuda-sm_86", device=gpu_board, trials=1, on_event=warn_only)


def test_a_board_without_a_gpu_is_refused(plain_board: str, tiny_onnx: Path) -> None:
    with pytest.raises(UserError, match=r"has no NVIDIA GPU|knows no CUDA"):
        tune(str(tiny_onnx), "a100", device=plain_board, trials=1, on_event=warn_only)
