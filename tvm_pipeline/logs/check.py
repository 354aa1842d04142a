"""Replays tuning records with this TVM: every line must still schedule, build and compute the right numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tvm
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import ScheduleError

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import TuningRecord
from tvm_pipeline.backends.clock.measurement import argument_shapes
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import AnyTarget, CpuTarget
from tvm_pipeline.logs.check_gpu_logs import check_gpu_records
from tvm_pipeline.logs.replay import CheckedRecord, schedule_of
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Space

TOLERANCE = 1e-5
"""Largest error, as a share of the reference's range, that another order of additions may cause."""


def check_records(
    records: list[TuningRecord], target: AnyTarget, can_run: bool, on_checked: Callable[[int], None]
) -> list[CheckedRecord]:
    """Checks each record; on a CPU that cannot run the target's code the kernels are built but not run, and a GPU's
    only compiled."""
    if target.unit.compute_capability is not None:
        return check_gpu_records(records, target, on_checked)
    references: dict[str, tuple[list[np.ndarray], np.ndarray]] = {}
    checked = []
    for record in records:
        error = _check(record, target, can_run, references)
        checked.append(CheckedRecord(record.layer, record.threads, error))
        on_checked(len(checked))
    return checked


def _check(
    record: TuningRecord, target: CpuTarget, can_run: bool, references: dict[str, tuple[list[np.ndarray], np.ndarray]]
) -> str | None:
    schedule = schedule_of(record, target)
    if isinstance(schedule, str):
        return schedule
    try:
        built = tvm.compile(schedule.mod, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)
    except (ScheduleError, ValueError, RuntimeError) as error:
        return f"does not build: {str(error).strip().splitlines()[-1]}"
    if not can_run:
        return None
    if record.layer not in references:
        references[record.layer] = _reference(Layer.parse(record.layer), target)
    inputs, expected = references[record.layer]
    worst = float(np.abs(_run(built, inputs, expected.shape) - expected).max() / np.ptp(expected))
    return None if worst <= TOLERANCE else f"computes wrong numbers: off by {worst:.1e} of the range"


def _reference(layer: Layer, target: CpuTarget) -> tuple[list[np.ndarray], np.ndarray]:
    """Seeded inputs and what the unscheduled kernel makes of them."""
    space = Space.of(layer, generator_for(layer, target.unit), target.unit)
    *shapes, output = argument_shapes(space.layer)
    random = np.random.default_rng(0)
    inputs = [random.standard_normal(shape, dtype=np.float32) for shape in shapes]
    plain = tvm.compile(Schedule(space.module()).mod, target=target.tvm)
    return inputs, _run(plain, inputs, output)


def _run(module: Any, inputs: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    output = tvm.runtime.tensor(np.zeros(shape, np.float32))
    module["main"](*(tvm.runtime.tensor(one) for one in inputs), output)
    return np.asarray(output.numpy())
