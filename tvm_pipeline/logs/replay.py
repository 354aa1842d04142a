"""A tuning record becomes its kernel's schedule again, or says why not."""

from dataclasses import dataclass

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import ScheduleError

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import TuningRecord
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Space


@dataclass(frozen=True)
class CheckedRecord:
    """``error`` is None for a line that still applies."""

    layer: str
    threads: int
    error: str | None


def schedule_of(record: TuningRecord, target: AnyTarget) -> Schedule | str:
    """The record's kernel, scheduled as it says; a text that says why where it does not apply any more."""
    layer = Layer.parse(record.layer)
    try:
        generator = generator_for(layer, target.unit)
    except KeyError:
        return f"made by generator {record.generator}, this version has none for its kind"
    if record.generator != f"{generator.name}/{generator.version}":
        return f"made by generator {record.generator}, this version has {generator.name}/{generator.version}"
    space = Space.of(layer, generator, target.unit)
    choice = space.choice(record.decisions)
    if choice is None:
        return f"its decisions {dict(record.decisions)} are not in the generator's space"
    try:
        return space.schedule(choice)
    except (ScheduleError, ValueError) as error:
        return f"does not schedule: {str(error).strip().splitlines()[-1]}"
