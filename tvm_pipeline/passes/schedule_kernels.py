"""Gives every kernel its schedule: from the tuning logs, else from its generator's rule, else a plain one."""

from collections.abc import Callable
from dataclasses import replace

import tvm
from tvm import relax, tirx
from tvm.s_tir import SBlockRealize, Schedule
from tvm.s_tir.schedule import LoopRV, ScheduleError

from mobilenet_tvm.base.compiled import FALLBACK, Kernel
from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import DEFAULT, Match, TuningLogs
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.schedules import Decisions, Generator, generator_for, is_inside
from tvm_pipeline.schedules.annotations import WRITTEN, anchor_descriptor
from tvm_pipeline.schedules.registry import schedule_plainly, unit_that_made
from tvm_pipeline.workloads.workload import NAMED


def schedule_kernels(
    module: tvm.IRModule, logs: TuningLogs, unit: Unit, threads: int, warn: Callable[[str], None]
) -> tuple[tvm.IRModule, list[Kernel]]:
    """Schedules all PrimFuncs of the module; returns it with an account of each kernel in order of name.

    ``warn`` is told of every record that is of no use any more.
    """
    kernels: list[Kernel] = []
    scheduled: dict[tvm.ir.GlobalVar, tvm.ir.BaseFunc] = {}
    makes_output = _makers_of_outputs(module["main"])
    for variable, function in module.functions_items():
        # a reshape is left alone: Relax turns it into a view, if it still recognises it and the result is no output
        is_kernel = isinstance(function, tirx.PrimFunc)
        if is_kernel and (variable.name_hint in makes_output or not relax.analysis.has_reshape_pattern(function)):
            function, kernel = _schedule(variable.name_hint, function, logs, unit, threads, warn)
            kernels.append(kernel)
        scheduled[variable] = function
    return tvm.IRModule(scheduled, attrs=module.attrs), sorted(kernels, key=lambda kernel: kernel.name)


def _makers_of_outputs(function: relax.Function) -> set[str]:
    """The kernels whose result leaves the function."""
    return {
        binding.value.args[0].name_hint
        for block in function.body.blocks
        for binding in block.bindings
        if not isinstance(binding.var, relax.DataflowVar)
        if isinstance(binding.value, relax.Call) and binding.value.args
        if isinstance(binding.value.args[0], tvm.ir.GlobalVar)
    }


def _schedule(
    name: str,
    function: tirx.PrimFunc,
    logs: TuningLogs,
    unit: Unit,
    threads: int,
    warn: Callable[[str], None],
) -> tuple[tirx.PrimFunc, Kernel]:
    if WRITTEN in (function.attrs or {}):
        return function, _default(name, None, str(function.attrs[WRITTEN]))
    if not _has_root(function):  # one block of loops (a scatter), or nothing to do
        return function, _default(name, None, FALLBACK)
    descriptor = anchor_descriptor(Schedule(tvm.IRModule({"main": function})))
    if descriptor is None:
        label = str((function.attrs or {}).get(NAMED, FALLBACK))
        return schedule_plainly(function, unit), _default(name, None, label)
    layer = Layer.parse(descriptor)
    generator = generator_for(layer, unit)
    label = f"{generator.name}/{generator.version}"
    match = logs.find(layer, threads, label)
    if match is not None:
        decisions = match.record.decisions
        fits = is_inside(decisions, generator.knobs(layer, unit))
        applied = _try(function, layer, generator, unit, decisions) if fits else None
        if applied is not None:
            return applied, replace(_tuned(name, descriptor, match), dtype=_computed_in(layer, unit))
        warn(f"the tuning record of {match.record.layer} does not apply any more: {descriptor} gets a default schedule")
    elif (other := logs.find(layer, threads)) is not None:
        _warn_of_other_maker(other, layer, unit, label, warn)
    decisions = generator.default(layer, unit)
    applied = _try(function, layer, generator, unit, decisions)
    if applied is not None:
        return applied, replace(_default(name, descriptor, label, decisions), dtype=_computed_in(layer, unit))
    return schedule_plainly(function, unit), replace(
        _default(name, descriptor, FALLBACK), dtype=_computed_in(layer, unit)
    )


def _warn_of_other_maker(match: Match, layer: Layer, unit: Unit, label: str, warn: Callable[[str], None]) -> None:
    made_by = match.record.generator
    if unit_that_made(made_by, layer, unit) is None:
        warn(
            f"the tuning record of {match.record.layer} was made by {made_by}, not {label}: it gets a default schedule"
        )


def _computed_in(layer: Layer, unit: Unit) -> str:
    return unit.dtype if layer.dtype == "float32" else layer.dtype


class OneThreadSchedule(Schedule):  # type: ignore[misc]  # which mypy does not see
    """One whose loops all run on the thread that calls the kernel, whatever a generator says."""

    def parallel(self, loop: LoopRV) -> None:
        """Does nothing."""


def _has_root(function: tirx.PrimFunc) -> bool:
    return isinstance(function.body, SBlockRealize) and function.body.block.name_hint == "root"


def _tuned(name: str, descriptor: str, match: Match) -> Kernel:
    record = match.record
    return Kernel(
        name=name,
        layer=descriptor,
        record=record.record,
        generator=record.generator,
        campaign=record.campaign,
        seconds=record.seconds if match.exact else None,
        decisions=dict(record.decisions),
        cpu=UNSET if record.cpu is None else record.cpu,
    )


def _default(name: str, descriptor: str | None, generator: str, decisions: Decisions | None = None) -> Kernel:
    knobs = dict(decisions) if decisions is not None else None
    return Kernel(name=name, layer=descriptor, record=DEFAULT, generator=generator, decisions=knobs)


def _try(
    function: tirx.PrimFunc, layer: Layer, generator: Generator, unit: Unit, decisions: Decisions
) -> tirx.PrimFunc | None:
    module = tvm.IRModule({"main": function})
    schedule = Schedule(module) if unit.uses_all_threads(layer) else OneThreadSchedule(module)
    try:
        generator.apply(schedule, layer, unit, decisions)
    except (ScheduleError, KeyError, ValueError):
        return None
    return schedule.mod["main"].with_attrs(dict(function.attrs))
