"""What a session is to do: the layers that the logs lack, and what is tried first."""

from __future__ import annotations

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED, TuningLogs, TuningRecord
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.tuning.task import Budget, Task

KNOWN, NEW = Layer.parse("pointwise 28x28x128->128 bias relu"), Layer.parse("dense 64->40 bias")
CALLS = {KNOWN: 3, NEW: 1}


def _record(target: CpuTarget, threads: int, tile_m: int, version: int | None = None) -> TuningRecord:
    generator = generator_for(KNOWN, target.unit)
    name = f"{generator.name}/{generator.version if version is None else version}"
    return TuningRecord(str(KNOWN), threads, name, {"tile_m": tile_m}, 1e-5, MEASURED, "a day")


def test_what_the_logs_know_is_left_out(target: CpuTarget) -> None:
    task = Task.of(CALLS, TuningLogs([_record(target, 1, 8)]), target, 1, "float32")
    assert task.calls == CALLS
    assert task.without_known().calls == {NEW: 1}
    assert task.first_choices(KNOWN) == [{"tile_m": 8}]
    assert task.first_choices(NEW) == []


def test_the_record_for_one_thread_is_no_known_one_but_a_rival(target: CpuTarget) -> None:
    logs = TuningLogs([_record(target, 1, 8), _record(target, 2, 4)])
    task = Task.of(CALLS, logs, target, 2, "float32")
    assert task.first_choices(KNOWN) == [{"tile_m": 4}, {"tile_m": 8}]
    assert task.rivals == {KNOWN: {"tile_m": 8}}
    assert Task.of(CALLS, TuningLogs([_record(target, 1, 8)]), target, 2, "float32").without_known().calls == CALLS


def test_a_record_of_another_generator_is_unknown(target: CpuTarget) -> None:
    task = Task.of(CALLS, TuningLogs([_record(target, 1, 8, version=0)]), target, 1, "float32")
    assert task.without_known().calls == CALLS


def test_a_budget_is_limited_by_either() -> None:
    limits = [Budget().is_limited, Budget(trials=8).is_limited, Budget(seconds=1.0).is_limited]
    assert limits == [False, True, True]
