"""Writes tuning records as a MetaSchedule database, which any TVM of the same version opens."""

from pathlib import Path

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import TuningRecord
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.tuning.database import RECORDS, WORKLOADS, TrialDatabase


def export_metaschedule(records: list[TuningRecord], target: AnyTarget, output: Path) -> int:
    """Replaces the database in ``output``; returns how many records went into it, outdated ones left out."""
    for name in (WORKLOADS, RECORDS):
        (output / name).unlink(missing_ok=True)
    database = TrialDatabase(output, target.tvm, threads=1, warn=lambda _: None)
    exported = 0
    for record in records:
        layer = Layer.parse(record.layer)
        generator = generator_for(layer, target.unit)
        space = Space.of(layer, generator, target.unit)
        choice = space.choice(record.decisions)
        if record.generator == f"{generator.name}/{generator.version}" and choice is not None:
            database.add(record.layer, space.module(), space.schedule(choice), [record.seconds], record.threads)
            exported += 1
    return exported
