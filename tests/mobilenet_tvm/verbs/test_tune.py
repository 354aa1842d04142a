"""tune, and what becomes of its logs, through the command line."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, Trial, TrialLine
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.inspect import inspect
from mobilenet_tvm.verbs.tune import Tuned, tune

TARGET = "x86-64-v3"


def _check(payload: Any, name: str) -> None:
    jsonschema.validate(payload, load_schema(name), cls=jsonschema.Draft202012Validator)


def _silent(event: Event) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, tiny_onnx: Path) -> tuple[Path, list[Event], Tuned]:
    """A folder of logs, the events of the run that wrote them, and its result."""
    logs = tmp_path_factory.mktemp("logs")
    events: list[Event] = []
    result = tune(str(tiny_onnx), TARGET, trials=12, logs=logs, on_event=events.append)
    return logs, events, result


def test_every_trial_is_told(tuned: tuple[Path, list[Event], Tuned]) -> None:
    _, events, result = tuned
    trials = [event for event in events if isinstance(event, Trial)]
    assert [trial.trial for trial in trials] == list(range(1, 13))
    for trial in trials:
        _check(TrialLine.of(trial).to_json(), "tune_trial")
    _check(result.to_json(), "tune")
    assert result["trials"] == 12
    assert not result["interrupted"]


def test_the_logs_are_shown_checked_and_exported(
    tuned: tuple[Path, list[Event], Tuned], command: Callable[..., Any], tmp_path: Path
) -> None:
    logs = tuned[0]
    shown = json.loads(command("logs", "show", "--all", "--logs", logs, "--json").out)
    _check(shown, "logs_show")
    assert shown["trials"] == 12
    assert len(shown["records"]) == shown["logs"][0]["layers"] >= 1
    assert shown["logs"][0]["target"] == TARGET
    assert all(campaign is not None for campaign in shown["logs"][0]["campaigns"].values())
    for line in (logs / TARGET / "float32.jsonl").read_text().splitlines():
        _check(json.loads(line), "tuning_log_line")
    checked = json.loads(command("logs", "check", "--target", TARGET, "--logs", logs, "--json").out)
    _check(checked, "logs_check")
    assert checked == {"checked": len(shown["records"]), "failed": []}
    out = tmp_path / "database"
    arguments = ("--target", TARGET, "--logs", logs, "--metaschedule", out, "--json")
    exported = json.loads(command("logs", "export", *arguments).out)
    _check(exported, "logs_export")
    assert exported["records"] == len(shown["records"])
    assert (out / "database_tuning_record.json").is_file()


def test_compile_uses_them_and_an_empty_folder_means_none(
    tuned: tuple[Path, list[Event], Tuned], tiny_onnx: Path, tmp_path: Path
) -> None:
    result = compile(str(tiny_onnx), TARGET, tmp_path / "with", logs=tuned[0], on_event=_silent)
    known = (tuned[0] / TARGET / "float32.jsonl").read_text().splitlines()
    assert result["kernels"]["measured"] == len(known)
    measured = [kernel for kernel in inspect(tmp_path / "with")["kernels"] if kernel["record"] == "measured"]
    assert all(kernel["campaign"] for kernel in measured)
    (tmp_path / "empty").mkdir()
    result = compile(str(tiny_onnx), TARGET, tmp_path / "without", logs=tmp_path / "empty", on_event=_silent)
    assert result["kernels"]["measured"] == 0


def test_ctrl_c_ends_it_cleanly(tiny_onnx: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("mobilenet-tvm")
    process = subprocess.Popen(
        [program, "tune", tiny_onnx, "--target", TARGET, "--logs", tmp_path, "--seconds", "500", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    trials = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert "Traceback" not in errors
    kept = (tmp_path / ".work" / TARGET / "float32" / "database_tuning_record.json").read_text().splitlines()
    assert len(kept) >= len(trials)
    assert (tmp_path / TARGET / "float32.jsonl").is_file()


def test_the_table(command: Callable[..., Any], tiny_onnx: Path, tmp_path: Path) -> None:
    answer = command("tune", tiny_onnx, "--target", TARGET, "--trials", "2", "--logs", tmp_path)
    assert answer.code == 0, answer
    assert answer.out.splitlines()[-1].startswith("2 trials")


def test_a_board_is_not_timed_here(tiny_onnx: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--device names boards, --measure model does without"):
        tune(str(tiny_onnx), "rpi4", trials=1, logs=tmp_path)
    with pytest.raises(UserError, match="unknown --measure 'modle': did you mean 'model'"):
        tune(str(tiny_onnx), "rpi4", trials=1, logs=tmp_path, measure="modle")
    with pytest.raises(UserError, match="no static model of 'x86-64-v3'"):
        tune(str(tiny_onnx), TARGET, trials=1, logs=tmp_path, measure="model")
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.skipif(not (shutil.which("qemu-aarch64") and shutil.which("llvm-mca-19")),
                    reason="apt install qemu-user llvm-19")  # fmt: skip
def test_modelled_records_are_compiled_in_and_said_to_be_so(tiny_onnx: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    result = tune(str(tiny_onnx), "rpi4", trials=8, threads=1, logs=logs, measure="model", on_event=_silent)
    _check(result.to_json(), "tune")
    assert result["trials"] == 8
    tuned_layers = {layer["layer"] for layer in result["layers"]}
    assert (logs / ".work" / "rpi4" / "float32-model").is_dir()
    compile(str(tiny_onnx), "rpi4", output=tmp_path / "package", threads=1, logs=logs, on_event=_silent)
    kernels = inspect(tmp_path / "package")["kernels"]
    assert {kernel["layer"] for kernel in kernels if kernel["record"] == "modelled"} == tuned_layers
