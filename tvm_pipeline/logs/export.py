"""Writes tuning records as a MetaSchedule database, which any TVM of the same version opens."""

from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.logs.tuning_log import TuningRecord
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.logs.replay import NoLongerApplies, schedule_of
from tvm_pipeline.tuning.database import RECORDS, WORKLOADS, TrialDatabase


def export_metaschedule(records: Sequence[TuningRecord], target: AnyTarget, output: Path) -> int:
    """Replaces the database in ``output``; returns how many records went into it, outdated ones left out."""
    for name in (WORKLOADS, RECORDS):
        (output / name).unlink(missing_ok=True)
    database = TrialDatabase(output, target, threads=1, warn=lambda _: None)
    exported = 0
    for record in records:
        try:
            kernel = schedule_of(record, target)
        except NoLongerApplies:
            continue
        database.add(record.layer, kernel.space.module(), kernel.schedule, [record.seconds], record.threads)
        exported += 1
    return exported
