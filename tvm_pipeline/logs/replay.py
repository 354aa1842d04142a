"""From a tuning record back to its kernel: scheduled as it says, built and verified."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tvm
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import ScheduleError

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import TuningRecord
from tvm_pipeline.backends.gpu_model.batch_compiler import BatchCompiler
from tvm_pipeline.backends.gpu_model.device_functions import compiled_functions
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.stored import as_floats
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.hardware.unit import CPU, GPU, Unit
from tvm_pipeline.schedules import label_of
from tvm_pipeline.schedules.registry import unit_that_made
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads import workload_of
from tvm_pipeline.workloads.seeded import seeded_arguments

TOLERANCE = 1e-5
"""Largest error, as a share of the reference's range, that another order of additions may cause."""
_TOLERANCES = {"bfloat16": 2.0**-8}
"""Where results are rounded, by what is next to them in that dtype."""
TOGETHER = 16
"""Kernels in one call of nvcc."""


class NoLongerApplies(Exception):
    """A record that this version cannot follow; one line says why."""


@dataclass(frozen=True)
class Replayed:
    """A record's layer and its kernel, scheduled as the record says."""

    space: Space
    schedule: Schedule


def schedule_of(record: TuningRecord, target: AnyTarget) -> Replayed:
    """The record's kernel.

    :raises NoLongerApplies: its generator or its decisions are not this version's.
    """
    try:
        layer = Layer.parse(record.layer)
        space = Space.of(layer, unit_that_made(record.generator, layer, target.unit) or target.unit)
    except KeyError as error:
        raise NoLongerApplies(f"made by generator {record.generator}, this version has none for its kind") from error
    ours = label_of(space.generator)
    if record.generator != ours:
        raise NoLongerApplies(f"made by generator {record.generator}, this version has {ours}")
    choice = space.choice(record.decisions)
    if choice is None:
        raise NoLongerApplies(f"its decisions {dict(record.decisions)} are not in the generator's space")
    try:
        return Replayed(space, space.schedule(choice))
    except (ScheduleError, ValueError) as error:
        raise NoLongerApplies(f"does not schedule: {_last_line(error)}") from error


def replay(records: Sequence[TuningRecord], target: AnyTarget, can_run: bool) -> Iterator[str | None]:
    """What is wrong with each record, None where nothing is.

    A CPU's kernels are built and, with ``can_run``, run; a GPU's are compiled by nvcc, many in one call, and what they
    compute is not looked at.
    """
    return _REPLAYERS[target.unit.family](records, target, can_run)


def _built(records: Sequence[TuningRecord], target: AnyTarget, can_run: bool) -> Iterator[str | None]:
    expect = _Expected(target)
    for record in records:
        try:
            replayed = schedule_of(record, target)
            built = tvm.compile(replayed.schedule.mod, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)
            yield expect.complaint(replayed.space, built) if can_run else None
        except NoLongerApplies as error:
            yield str(error)
        except (ScheduleError, ValueError, RuntimeError) as error:
            yield f"does not build: {_last_line(error)}"


class _Expected:
    """Seeded inputs of layers, and what their unscheduled kernels make of them."""

    def __init__(self, target: AnyTarget) -> None:
        self._target = target
        self._known: dict[tuple[Layer, Unit], tuple[list[np.ndarray], np.ndarray]] = {}
        self._tolerance = _TOLERANCES.get(target.unit.dtype, TOLERANCE)

    def complaint(self, space: Space, kernel: Any) -> str | None:
        """How wrong a kernel's numbers are, None where they are right."""
        key = space.layer, space.unit
        if key not in self._known:
            self._known[key] = self._compute(space)
        inputs, expected = self._known[key]
        output = workload_of(space.layer, space.unit).dtypes[-1]
        worst = float(np.abs(_run(kernel, inputs, expected.shape, output) - expected).max() / np.ptp(expected))
        return None if worst <= self._tolerance else f"computes wrong numbers: off by {worst:.1e} of the range"

    def _compute(self, space: Space) -> tuple[list[np.ndarray], np.ndarray]:
        workload = workload_of(space.layer, space.unit)
        inputs = seeded_arguments(workload)
        plain = tvm.compile(Schedule(space.module()).mod, target=self._target.tvm, tir_pipeline=CODEGEN_PIPELINE)
        return inputs, _run(plain, inputs, workload.shapes[-1], workload.dtypes[-1])


def _run(module: Any, inputs: Sequence[np.ndarray], shape: tuple[int, ...], dtype: str) -> np.ndarray:
    output = tvm.runtime.tensor(np.zeros(shape, dtype))
    module["main"](*(tvm.runtime.tensor(values) for values in inputs), output)
    return as_floats(np.asarray(output.numpy())).astype(np.float64)


def _compiled(records: Sequence[TuningRecord], target: AnyTarget, _can_run: bool) -> Iterator[str | None]:
    remaining = iter(records)
    while batch := list(itertools.islice(remaining, TOGETHER)):
        compiler = BatchCompiler(target)
        errors = [_announce(record, target, compiler, f"record{number}") for number, record in enumerate(batch)]
        for number, error in enumerate(errors):
            outcome = compiler.resources(f"record{number}") if error is None else []
            yield f"does not build: {outcome}" if isinstance(outcome, str) else error


def _announce(record: TuningRecord, target: AnyTarget, compiler: BatchCompiler, name: str) -> str | None:
    """Schedules and lowers a record's kernel; returns what is wrong with it."""
    try:
        function = schedule_of(record, target).schedule.mod["main"].with_attr("global_symbol", name)
        compiler.add(name, compiled_functions(function, target.tvm))
    except NoLongerApplies as error:
        return str(error)
    except (ValueError, RuntimeError) as error:
        return f"does not build: {_last_line(error)}"
    return None


_REPLAYERS: Mapping[str, Callable[[Sequence[TuningRecord], AnyTarget, bool], Iterator[str | None]]] = {
    CPU: _built,
    GPU: _compiled,
}


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
