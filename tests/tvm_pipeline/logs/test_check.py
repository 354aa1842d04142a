"""Every line of a log is replayed, built and run; those that no longer apply are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import targets
from mobilenet_tvm.base.answers import LogsChecked
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.jobs import LogsCheckJob
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED, TuningRecord, log_path, write_log
from targets import Target
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.logs.check import check_records
from tvm_pipeline.schedules import generator_for, label_of

DECISIONS = {"tile_m": 8, "tile_n": 1, "tile_v": 2, "outer": 1, "unroll_k": 1, "prefetch": 1}


def record(layer: str = "pointwise 8x8x16->16 bias relu", **changes: Any) -> TuningRecord:
    values = {"threads": 1, "generator": "pointwise/2", "decisions": DECISIONS, "seconds": 1e-6, "record": MEASURED}
    return TuningRecord(**{"layer": layer, "campaign": "a day", **values, **changes})


GOOD = record()
OUTSIDE = record("pointwise 7x7x16->16 bias", decisions={**DECISIONS, "tile_m": 8})
OLD = record("pointwise 8x8x16->32 bias", generator="pointwise/0")


def test_good_record_passes_by_building_and_running(target: CpuTarget) -> None:
    done: list[int] = []
    found = check_records([GOOD], target, can_run=True, on_checked=done.append)
    assert (found.checked, found.failed) == (1, ())
    assert done == [1]


def test_records_that_no_longer_apply_are_named_with_the_reason(tmp_path: Path, preset: Target) -> None:
    write_log(log_path(tmp_path, "x86-64-v3", "float32"), [GOOD, OUTSIDE, OLD])
    job = LogsCheckJob(target=preset, dtype="float32", logs=(tmp_path,))
    result = run_child("tvm_pipeline", job, LogsChecked, block=("torch",))
    assert result.checked == 3
    failed = {line.layer: line.error for line in result.failed}
    assert set(failed) == {OUTSIDE.layer, OLD.layer}
    assert "'tile_m': 8" in failed[OUTSIDE.layer]
    assert "not in the generator's space" in failed[OUTSIDE.layer]
    assert "pointwise/0, this version has pointwise/2" in failed[OLD.layer]


@pytest.mark.skipif(bool(targets.load("x86-64-v4-vnni").missing_here()), reason="this CPU has no AVX512-VNNI")
@pytest.mark.parametrize("window", ["k3x3 s1 p1", "k3x3 s2 p1", "k5x5 s1 p2", "k5x5 s2 p2"])
def test_windows_of_bytes_are_right_with_any_weights(window: str) -> None:
    """Fours of rows have rows that no window has: their weights are zero in networks, seeded here."""
    target = CpuTarget.from_json(targets.load("x86-64-v4-vnni").to_json())
    layer = Layer.parse(f"int8 depthwise 9x9x16 {window} requantise")
    generator = generator_for(layer, target.unit)
    made = record(str(layer), generator=label_of(generator), decisions=dict(generator.default(layer, target.unit)))
    assert generator.name == "int8_window"
    assert check_records([made], target, can_run=True, on_checked=lambda _: None).failed == ()
