"""Replays a GPU's tuning records: every line must still schedule and compile."""

import itertools
from collections.abc import Callable, Iterable, Sequence

from mobilenet_tvm.base.tuning_log import TuningRecord
from tvm_pipeline.backends.gpu_model.batch_compiler import BatchCompiler
from tvm_pipeline.backends.gpu_model.device_functions import compiled_functions
from tvm_pipeline.hardware.target import GpuTarget
from tvm_pipeline.logs.replay import CheckedRecord, schedule_of

TOGETHER = 16
"""Kernels in one call of nvcc."""


def check_gpu_records(
    records: Sequence[TuningRecord], target: GpuTarget, on_checked: Callable[[int], None]
) -> list[CheckedRecord]:
    """Checks each record; what its kernel computes is not looked at. Raises UserError where there is no nvcc."""
    checked: list[CheckedRecord] = []
    numbers = itertools.count()
    for batch in _batches(records):
        compiler = BatchCompiler(target)
        names = [f"record{next(numbers)}" for _ in batch]
        errors = [_announce(record, target, compiler, name) for record, name in zip(batch, names, strict=True)]
        for record, name, error in zip(batch, names, errors, strict=True):
            outcome = compiler.resources(name) if error is None else []
            found = f"does not build: {outcome}" if isinstance(outcome, str) else error
            checked.append(CheckedRecord(record.layer, record.threads, found))
            on_checked(len(checked))
    return checked


def _batches(records: Iterable[TuningRecord]) -> Iterable[list[TuningRecord]]:
    rest = iter(records)
    while batch := list(itertools.islice(rest, TOGETHER)):
        yield batch


def _announce(record: TuningRecord, target: GpuTarget, compiler: BatchCompiler, name: str) -> str | None:
    """Schedules and lowers a record's kernel; returns what is wrong with it."""
    schedule = schedule_of(record, target)
    if isinstance(schedule, str):
        return schedule
    try:
        function = schedule.mod["main"].with_attr("global_symbol", name)
        compiler.add(name, compiled_functions(function, target.tvm))
    except (ValueError, RuntimeError) as error:
        return f"does not build: {str(error).strip().splitlines()[-1]}"
    return None
