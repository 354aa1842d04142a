"""What is exported is a MetaSchedule database that plain TVM opens and finds kernels in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tvm.s_tir import meta_schedule as ms

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED, TuningRecord
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.logs.export import export_metaschedule
from tvm_pipeline.schedules.space import Space, choice_of_trace

DECISIONS = {"tile_m": 8, "tile_n": 1, "tile_v": 2, "outer": 1, "unroll_k": 1, "prefetch": 1}


def record(layer: str, **changes: Any) -> TuningRecord:
    values = {"threads": 1, "generator": "pointwise/2", "decisions": DECISIONS, "seconds": 2e-6, "record": MEASURED}
    return TuningRecord(**{"layer": layer, "campaign": "a day", **values, **changes})


GOOD = record("pointwise 8x8x16->16 bias relu")
RECORDS = [GOOD, record("pointwise 7x7x16->16 bias"), record("pointwise 8x8x16->32 bias", generator="pointwise/0")]


def test_metaschedule_finds_the_exported_kernel(target: CpuTarget, tmp_path: Path) -> None:
    assert export_metaschedule(RECORDS, target, tmp_path / "database") == 1  # the two that do not apply are left out
    database = ms.database.JSONDatabase(work_dir=str(tmp_path / "database"))
    layer = Layer.parse(GOOD.layer)
    space = Space.of(layer, target.unit)
    found = database.query_tuning_record(space.module(), target.tvm, "main")
    assert found is not None
    assert [float(second) for second in found.run_secs] == [GOOD.seconds]
    assert choice_of_trace(found.trace, space) == space.choice(GOOD.decisions)
    schedule = database.query_schedule(space.module(), target.tvm, "main")
    choice = space.choice(GOOD.decisions)
    assert choice is not None
    assert schedule.mod.script() == space.schedule(choice).mod.script()


def test_another_export_replaces_the_first(target: CpuTarget, tmp_path: Path) -> None:
    export_metaschedule([GOOD], target, tmp_path)
    export_metaschedule([GOOD], target, tmp_path)
    assert len(ms.database.JSONDatabase(work_dir=str(tmp_path))) == 1
