"""A tuner's backend that needs no GPU: seconds by the static model, with what ptxas says of the compiled kernel."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import ScheduleError

from mobilenet_tvm.base.compilers.nvcc import find_nvcc
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MODELLED
from tvm_pipeline.backends.backend import Answer, BuildFailed, Setup
from tvm_pipeline.backends.conditions import Conditions, campaign_today
from tvm_pipeline.backends.gpu_model.batch_compiler import BatchCompiler
from tvm_pipeline.backends.gpu_model.counts import LaunchCounts
from tvm_pipeline.backends.gpu_model.device_functions import compiled_functions
from tvm_pipeline.backends.gpu_model.estimate import MODEL_VERSION, estimate
from tvm_pipeline.backends.gpu_model.walk import count_kernel
from tvm_pipeline.hardware.target import GpuTarget
from tvm_pipeline.schedules.space import Space

TOGETHER = 8
"""Candidates in one call of nvcc: a session's batch."""


class ModelledGpu:
    """Lowers and counts candidates in this process, several threads at once; nvcc compiles them together.

    A candidate that leaves multiprocessors idle is turned down where the rule's choice does not: the model cannot tell
    what sharing caches and memory with fewer neighbours is worth.

    :raises UserError: there is no nvcc.
    """

    is_repeatable = True
    overlaps = False
    lanes = TOGETHER

    def __init__(self, target: GpuTarget) -> None:
        find_nvcc()
        self._target = target
        self._compiler = BatchCompiler(target)
        self._counts: dict[str, list[LaunchCounts]] = {}
        self._defaults: dict[Layer, bool] = {}
        self._numbers = itertools.count(1)

    @property
    def conditions(self) -> Conditions:
        card = self._target.card
        remarks = "no GPU was involved: seconds are what the static model says (docs/gpu_model.md)"
        return Conditions(MODELLED, campaign_today(f"modelled {card}"), "none", "none", remarks, MODEL_VERSION, card)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._counts.clear()

    @property
    def nvcc_calls(self) -> int:
        """How often nvcc was called so far."""
        return self._compiler.calls

    def build(self, schedule: Schedule) -> Path:
        """A name for the candidate, which is no file."""
        name = f"candidate{next(self._numbers)}"
        with self._compiler.preparing():
            function = schedule.mod["main"].with_attr("global_symbol", name)
            try:
                self._counts[name] = count_kernel(function, self._target.tvm)
                self._compiler.add(name, compiled_functions(function, self._target.tvm))
            except (ValueError, RuntimeError) as error:
                raise BuildFailed(str(error).strip().splitlines()[-1]) from error
        return Path(name)

    def run(self, artifact: Path, layer: Layer) -> Answer:
        """The modelled seconds of a candidate, all its launches together."""
        counts = self._counts.pop(artifact.name)
        if not self._fills(counts) and self._default_fills(layer):
            self._compiler.forget(artifact.name)
            return Answer(error="it leaves multiprocessors idle, and the rule's choice does not")
        outcome = self._compiler.resources(artifact.name)
        if isinstance(outcome, str):
            return Answer(error=outcome)
        resources, unit = {kernel.name: kernel for kernel in outcome}, self._target.unit
        try:
            seconds = sum(estimate(launch, resources[launch.function.name], unit).seconds for launch in counts)
        except (ValueError, KeyError) as error:
            return Answer(error=str(error))
        return Answer((seconds,))

    def _fills(self, counts: Sequence[LaunchCounts]) -> bool:
        """Whether each launch has a block for every multiprocessor."""
        return all(launch.function.blocks >= self._target.unit.multiprocessors for launch in counts)

    def _default_fills(self, layer: Layer) -> bool:
        if layer not in self._defaults:
            space = Space.of(layer, self._target.unit)
            try:
                counts = count_kernel(space.schedule(space.default).mod["main"], self._target.tvm)
                self._defaults[layer] = self._fills(counts)
            except (ScheduleError, ValueError):  # a rule's choice that does not apply shows no one the way
                self._defaults[layer] = False
        return self._defaults[layer]


def open_backend(setup: Setup) -> ModelledGpu:
    """:raises UserError: there is no nvcc."""
    return ModelledGpu(setup.target)
