"""A tuner's backend that needs no board: seconds by the static model."""

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Self

from tvm.s_tir import Schedule

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MODELLED
from tvm_pipeline.backends.arm_model.core import MODEL_VERSION, core_of
from tvm_pipeline.backends.arm_model.disassemble import llvm_tool
from tvm_pipeline.backends.arm_model.estimate import Estimate, estimate
from tvm_pipeline.backends.arm_model.execution import check_emulator, execute
from tvm_pipeline.backends.arm_model.program import build_driver, build_plugin, link_program
from tvm_pipeline.backends.arm_model.throughput import Throughput
from tvm_pipeline.backends.backend import Answer, Setup
from tvm_pipeline.backends.conditions import Conditions, campaign_today
from tvm_pipeline.backends.workers.build import KernelBuilder
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.workloads import workload_of

BUILD_TIMEOUT = 240.0
"""The first program on a machine waits until zig has built musl."""
RUN_TIMEOUT = 120.0


class ModelledMeasurement:
    """One warm process builds programs; each is executed once under QEMU and then judged.

    :raises UserError: QEMU or LLVM is missing, or no model is of the target's core.
    """

    is_repeatable = True
    lanes = 1

    def __init__(self, target: CpuTarget, threads: int) -> None:
        self.core = core_of(str(target.tvm.attrs.get("mcpu", "")))
        check_emulator()
        llvm_tool("llvm-mca")
        self.overlaps = len(os.sched_getaffinity(0)) == 1
        self._threads = threads
        self._throughput = Throughput(self.core)
        self._folder = tempfile.TemporaryDirectory(prefix="mobilenet-tvm-model-")
        self._driver = Path(self._folder.name) / "driver.o"
        link = partial(link_program, driver=str(self._driver))
        self._builder = KernelBuilder(target, link=link, timeout=BUILD_TIMEOUT)

    @property
    def conditions(self) -> Conditions:
        campaign = campaign_today(f"modelled {self.core.name} {self._threads}t")
        remarks = "no board was involved: seconds are what the static model says (docs/static_model.md)"
        return Conditions(MODELLED, campaign, "none", self.core.name, remarks, MODEL_VERSION, cpu=self.core.name)

    def __enter__(self) -> Self:
        self._builder.start()
        self._plugin = build_plugin(Path(self._folder.name))
        build_driver(self._driver)
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.stop()
        self._folder.cleanup()

    def build(self, schedule: Schedule) -> Path:
        """The path of the kernel's program."""
        return self._builder.build(schedule)

    def run(self, artifact: Path, layer: Layer) -> Answer:
        """The modelled seconds of a built kernel, with a charge per instruction (``Core.charge``); it is deleted."""
        try:
            cost = self.estimate(artifact, layer)
        except SystemFailure as error:
            return Answer(error=str(error))
        finally:
            artifact.unlink(missing_ok=True)
        ranked = cost.cycles_of_share(self._threads) + self.core.charge * cost.total_instructions
        return Answer((ranked / self.core.hertz,))

    def estimate(self, artifact: Path, layer: Layer) -> Estimate:
        """What the first thread's share of a built kernel costs.

        :raises SystemFailure: it fails.
        """
        shapes = ("x".join(str(extent) for extent in shape) for shape in workload_of(layer).shapes)
        execution = execute([str(artifact), str(self._threads), *shapes], self.core, self._plugin, RUN_TIMEOUT)
        return estimate(execution, self.core, self._throughput)


def open_backend(setup: Setup) -> ModelledMeasurement:
    """:raises UserError: as the class does."""
    return ModelledMeasurement(setup.target, setup.threads)
