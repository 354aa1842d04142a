"""A tuner's backend that needs no board: seconds by the static model."""

import itertools
import os
import tempfile
from pathlib import Path

import tvm
from tvm.s_tir import Schedule

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import MODELLED
from tvm_pipeline.backends.arm_model.core import core_of
from tvm_pipeline.backends.arm_model.disassemble import llvm_tool
from tvm_pipeline.backends.arm_model.estimate import Estimate, estimate
from tvm_pipeline.backends.arm_model.execution import check_emulator, execute
from tvm_pipeline.backends.arm_model.program import build_driver, build_plugin
from tvm_pipeline.backends.arm_model.throughput import Throughput
from tvm_pipeline.backends.clock.measurement import argument_shapes
from tvm_pipeline.backends.workers.build import BuildAnswer, BuildRequest
from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess
from tvm_pipeline.backends.workers.run import RunAnswer
from tvm_pipeline.hardware.target import CpuTarget

BUILD_TIMEOUT = 240.0
"""The first program on a machine waits until zig has built musl."""
RUN_TIMEOUT = 120.0


class ModelledMeasurement:
    """One warm process builds programs; each is executed once under QEMU and then judged.

    Raises UserError where QEMU or LLVM is missing, or no model is of the target's core.
    """

    record = MODELLED
    is_repeatable = True
    lanes = 1

    def __init__(self, target: CpuTarget, threads: int) -> None:
        self.core = core_of(str(target.tvm.attrs.get("mcpu", "")))
        check_emulator()
        llvm_tool("llvm-mca")
        self.overlaps = len(os.sched_getaffinity(0)) == 1
        self._target = target
        self._threads = threads
        self._directory = tempfile.TemporaryDirectory(prefix="mobilenet-tvm-model-")
        self._builder = WorkerProcess("tvm_pipeline.backends.workers.build")
        self._throughput = Throughput(self.core)
        self._numbers = itertools.count(1)

    def __enter__(self) -> "ModelledMeasurement":
        self._builder.start()
        folder = Path(self._directory.name)
        self._plugin, self._driver = build_plugin(folder), build_driver(folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.stop()
        self._directory.cleanup()

    def build(self, schedule: Schedule) -> tuple[Path, str | None]:
        """The path of the kernel's program, and what went wrong if anything did."""
        path = Path(self._directory.name) / f"kernel{next(self._numbers)}"
        request = BuildRequest(
            module=tvm.ir.save_json(schedule.mod),
            target=str(self._target.tvm),
            output=str(path),
            zig_target=self._target.zig_target,
            driver=str(self._driver),
        )
        try:
            answer: BuildAnswer = self._builder.ask(request, BUILD_TIMEOUT)
        except WorkerFailed as error:
            return path, str(error)
        return path, answer.error

    def run(self, artifact: Path, layer: Layer) -> RunAnswer:
        """The modelled seconds of a built kernel, with a charge per instruction (``Core.charge``); it is deleted."""
        try:
            found = self.estimate(artifact, layer)
        except SystemFailure as error:
            return RunAnswer((), None, False, str(error))
        finally:
            artifact.unlink(missing_ok=True)
        ranked = found.cycles_of_share(self._threads) + self.core.charge * found.total_instructions
        return RunAnswer((ranked / self.core.hertz,), None, True)

    def estimate(self, artifact: Path, layer: Layer) -> Estimate:
        """What the first thread's share of a built kernel costs. Raises SystemFailure where it fails."""
        shapes = ("x".join(str(extent) for extent in shape) for shape in argument_shapes(layer))
        execution = execute([str(artifact), str(self._threads), *shapes], self.core, self._plugin, RUN_TIMEOUT)
        return estimate(execution, self.core, self._throughput)
