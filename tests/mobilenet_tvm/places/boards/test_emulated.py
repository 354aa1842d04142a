"""Compile, upload, run, verify and tune through an emulated Raspberry Pi behind a tracker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from emulated_places import pull_the_plug

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, Trial, Warned
from mobilenet_tvm.package.manifest import TOLERANCE
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.tune import tune
from mobilenet_tvm.verbs.verify import verify

TARGET = "rpi4"
Start = Callable[[int], list[Any]]


@pytest.fixture
def device(tracker: str) -> str:
    return f"{tracker}/rpi4-emulated"


def test_upload_run_verify(
    start_emulated: Start, device: str, board_package: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    start_emulated(1)
    result = verify(board_package, device=device)
    assert (result["where"], result["device"], result["passed"]) == ("emulated", device, True)
    assert result["relative_err"] <= TOLERANCE
    np.save(tmp_path / "x.npy", np.ones((1, 3, 16, 16), np.float32))
    for verb, *more in (["run", tmp_path / "x.npy"], ["profile"]):
        payload = json.loads(command(verb, board_package, *more, "--device", device, "--json").out)
        assert payload["where"] == "emulated"
        assert "latency_ms" not in payload.get("results", [{}])[0]
        jsonschema.validate(payload, load_schema(str(verb)))
    assert "is an emulator; verify takes it" in command("bench", board_package, "--device", device).error()
    listed = json.loads(command("devices", device.rpartition("/")[0], "--json").out)
    jsonschema.validate(listed, load_schema("devices"))
    assert ("rpi4-emulated", True) in [(one["key"], one["emulated"]) for one in listed["devices"]]


def test_a_short_tune_leaves_nothing_behind(
    start_emulated: Start, device: str, tiny_onnx: Path, tmp_path: Path
) -> None:
    start_emulated(1)
    events: list[Event] = []
    result = tune(str(tiny_onnx), TARGET, trials=3, threads=1, logs=tmp_path, device=device, on_event=events.append)
    trials = [event for event in events if isinstance(event, Trial)]
    assert len(trials) == result["trials"] == 3
    assert all(trial.error is None and trial["seconds"] > 0 for trial in trials)
    assert any("nothing is written into logs" in event.message for event in events if isinstance(event, Warned))
    assert result["log"] is None
    assert list(tmp_path.iterdir()) == []
    jsonschema.validate(result.to_json(), load_schema("tune"))


def test_a_board_that_dies_costs_a_trial_and_the_last_one_ends_it(
    start_emulated: Start, device: str, tiny_onnx: Path, tmp_path: Path
) -> None:
    boards = start_emulated(2)
    trials: list[Trial] = []
    warnings: list[str] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event.message)
        elif isinstance(event, Trial):
            trials.append(event)
            if len(trials) == 2:
                pull_the_plug(boards[0])  # not at a moment of its choosing: it may be in the midst of a kernel
            if any(trial.error for trial in trials[:-2]):
                pull_the_plug(boards[1])

    with pytest.raises(UserError, match=r"no board of .*rpi4-emulated is left") as failed:
        tune(str(tiny_onnx), TARGET, seconds=100, threads=1, logs=tmp_path, device=device, on_event=on_event)
    assert "\n" not in str(failed.value)
    lost = [number for number, trial in enumerate(trials) if trial.error]
    assert len(lost) == 1, trials
    assert "broke off the session" in trials[lost[0]]["error"]
    after = trials[lost[0] + 1 :]
    assert len(after) >= 2
    assert all(trial.error is None for trial in after)
    assert any("tuning goes on with 1 board" in one for one in warnings)
