"""Tuning a small network for real: its trials, its logs, what a second run makes of them, and what a kill leaves."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from emulation import needs_model
from onnx_network import Network
from tuning_child import Event as Line
from tuning_child import TuningChild, trials, trials_on_disk, tune_job

import targets
from mobilenet_tvm.base.answers import TuningResult
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.events import Event, Trial
from mobilenet_tvm.base.jobs import TuneJob
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED, MODELLED, log_path, read_campaigns, read_log
from targets import Target
from tvm_pipeline.backends.arm_model.core import MODEL_VERSION
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Space, choice_of_trace
from tvm_pipeline.tuning.database import RECORDS, TrialDatabase

LAYERS = {"pointwise 14x14x16->32 bias relu", "depthwise 14x14x32 k3x3 s1 p1 bias relu"}
TRIALS = 12


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, 16, 14, 14]), 16, 32))
    made.output(made.node("Relu", made.conv(x, 32, 32, 3, group=32)))
    return made.save(tmp_path_factory.mktemp("network") / "network.onnx")


@dataclass(frozen=True)
class Session:
    """A run of so many trials with one thread, and the folder that it left."""

    folder: Path
    events: list[Event]
    result: TuningResult

    def copied(self, to: Path) -> Path:
        """The folder as another run finds it."""
        return Path(shutil.copytree(self.folder, to, dirs_exist_ok=True))


@pytest.fixture(scope="module")
def session(network: Path, preset: Target, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder, events = tmp_path_factory.mktemp("session"), list[Event]()
    job = tune_job(network, preset, folder, trials=TRIALS)
    return Session(folder, events, run_child("tvm_pipeline", job, TuningResult, events.append, block=("torch",)))


def _choices(folder: Path, target: CpuTarget) -> list[tuple[str, Any]]:
    """Layer and choice of every trial on disk."""
    found = []
    for descriptor, trace, _ in TrialDatabase(folder / "database", target, 1, warn=pytest.fail).trials():
        layer = Layer.parse(descriptor)
        found.append((descriptor, choice_of_trace(trace, Space.of(layer, target.unit))))
    return found


def _interrupted(job: TuneJob, after: int) -> tuple[TuningChild, Line]:
    """The last event of a run without a limit that is told to end by a signal after so many trials."""
    child, last = TuningChild.start(job), {}
    for last in child.events():
        if last["event"] == "trial" and last["trial"] == after:
            child.interrupt()
    child.process.wait()
    return child, last


def test_session_then_another_that_is_interrupted(
    network: Path, session: Session, tmp_path: Path, target: CpuTarget, preset: Target
) -> None:
    result = session.result
    tried = [event for event in session.events if isinstance(event, Trial)]
    assert [trial.trial for trial in tried] == list(range(1, TRIALS + 1))
    assert {trial.layer for trial in tried} == LAYERS
    assert isinstance(result.networks, tuple)
    assert [judged.name for judged in result.networks] == ["network"]
    assert [trial.error for trial in tried] == [None] * TRIALS
    assert all(0 < trial["best"] <= trial["seconds"] for trial in tried)
    assert (result.trials, result.interrupted) == (TRIALS, False)
    assert result["cost_model_updates"] >= 2  # a batch of each layer
    session.copied(tmp_path)
    assert (tmp_path / "database" / "cost_model.tar").exists()
    assert len((tmp_path / "database" / RECORDS).read_text().splitlines()) == TRIALS

    records = read_log(log_path(tmp_path / "logs", "x86-64-v3", "float32"))
    assert {record.layer for record in records} == LAYERS
    assert {(record.record, record.threads) for record in records} == {(MEASURED, 1)}
    assert {record.campaign for record in records} == set(read_campaigns(tmp_path / "logs", "x86-64-v3"))
    assert {layer.layer for layer in result.layers if layer.improved} == LAYERS
    first = _choices(tmp_path, target)

    child, last = _interrupted(tune_job(network, preset, tmp_path), after=4)
    assert (child.process.returncode, last["event"], last.get("interrupted")) == (0, "result", True), last
    assert last["trials"] >= 4
    both = _choices(tmp_path, target)
    assert len(both) == len(set(both)) == TRIALS + last["trials"]  # nothing was measured twice
    assert set(first) < set(both)
    assert sum(layer["trials"] for layer in last["layers"]) == len(both)
    assert {(descriptor, _default(descriptor, target)) for descriptor in LAYERS} <= set(first)


def _default(descriptor: str, target: CpuTarget) -> Any:
    layer = Layer.parse(descriptor)
    return Space.of(layer, target.unit).default


def test_no_finished_trial_is_lost_by_a_kill(network: Path, tmp_path: Path, target: CpuTarget, preset: Target) -> None:
    chance = random.Random(0)
    told: list[Line] = []
    for _ in range(3):
        child = TuningChild.start(tune_job(network, preset, tmp_path))
        before = len(told)
        for event in child.events():
            told += [event] if event["event"] == "trial" else []
            if len(told) - before == 2:
                break
        workers = child.workers()
        assert len(workers) >= 2
        time.sleep(chance.random())
        told += child.kill()
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert alive == []
        missing = trials(told) - trials_on_disk(tmp_path, target, warnings=[])
        assert not missing
    chosen = _choices(tmp_path, target)
    assert len(chosen) == len(set(chosen))


def test_a_variant_for_two_threads_is_kept_only_where_it_wins(
    network: Path, session: Session, tmp_path: Path, preset: Target
) -> None:
    """Layers this small take as long with two threads as with one: hardly a schedule gains what a variant must."""
    one = tune_job(network, preset, session.copied(tmp_path), trials=TRIALS)
    two = replace(one, threads=2, database=tmp_path / "two", known_logs=(tmp_path / "logs",))
    result = run_child("tvm_pipeline", two, TuningResult, block=("torch",))
    records = {record.slot[:2]: record for record in read_log(log_path(tmp_path / "logs", "x86-64-v3", "float32"))}
    for layer in result.layers:
        rival = records[layer.layer, 1]
        kept = records.get((layer.layer, 2))
        assert layer.rival_seconds is not None, "the schedule for one thread was measured too"
        assert layer.improved == (kept is not None)
        assert kept is None or kept.decisions != rival.decisions


@needs_model
def test_a_session_without_a_board_writes_modelled_records(network: Path, tmp_path: Path) -> None:
    job = tune_job(network, targets.load("rpi4"), tmp_path, trials=TRIALS, measure="model")
    events: list[Event] = []
    result = run_child("tvm_pipeline", job, TuningResult, events.append, block=("torch",))
    tried = [event for event in events if isinstance(event, Trial)]
    assert [trial.error for trial in tried] == [None] * TRIALS
    assert result.trials == TRIALS
    records = read_log(log_path(tmp_path / "logs", "rpi4", "float32"))
    assert {(record.record, record.threads) for record in records} == {(MODELLED, 1)}
    assert {layer.layer for layer in result.layers if layer.improved} == {record.layer for record in records}
    campaigns = read_campaigns(tmp_path / "logs", "rpi4")
    assert {record.campaign for record in records} == set(campaigns)
    assert {(one["device"], one["cpu_model"], one["model"]) for one in campaigns.values()} == {
        ("none", "cortex-a72", MODEL_VERSION)
    }
    # the best is the least of its layer's trials: nothing is asked twice, for the answer would be the same
    least = {
        record.layer: min(trial["seconds"] for trial in tried if trial.layer == record.layer) for record in records
    }
    assert {record.layer: record.seconds for record in records} == pytest.approx(least, rel=1e-3)
