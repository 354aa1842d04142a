"""Builds candidates on one core and measures them on another."""

import itertools
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import tvm
from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import MEASURED
from tvm_pipeline.backends.workers.build import BuildAnswer, BuildRequest
from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess
from tvm_pipeline.backends.workers.run import RunAnswer, RunRequest
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads import workload_of

REFERENCE = Layer.parse("pointwise 14x14x64->64 bias relu")
BUILD_TIMEOUT = 60.0
RUN_TIMEOUT = 60.0


@dataclass(frozen=True)
class Cores:
    """Which CPU cores measure and which build; with one core, or none to spare, they are the same."""

    running: frozenset[int]
    building: frozenset[int]

    @staticmethod
    def split(threads: int) -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        running = frozenset(cores[:threads])
        return Cores(running, frozenset(cores) - running or running)

    @property
    def overlap(self) -> bool:
        """Whether building disturbs measuring, so that they must take turns."""
        return bool(self.running & self.building)


def argument_shapes(layer: Layer) -> tuple[tuple[int, ...], ...]:
    """Of the kernel's arguments, the output last."""
    workload = workload_of(layer)
    return tuple(tuple(int(extent) for extent in one.shape) for one in (*workload.arguments, workload.output))


def argument_dtypes(layer: Layer, unit: Unit) -> tuple[str, ...]:
    """Of the kernel's arguments, the output last."""
    workload = workload_of(layer, unit)
    return tuple(str(one.dtype) for one in (*workload.arguments, workload.output))


def run_request(artifact: Path, layer: Layer, reference: Path, unit: Unit) -> RunRequest:
    """What asks a worker for a kernel's time."""
    return RunRequest(
        artifact=str(artifact),
        shapes=argument_shapes(layer),
        reference=str(reference),
        reference_shapes=argument_shapes(REFERENCE),
        dtypes=argument_dtypes(layer, unit),
        reference_dtypes=argument_dtypes(REFERENCE, unit),
    )


class KernelBuilder:
    """A warm process that builds kernels into a folder of its own, which ``stop`` removes.

    :ivar for_emulated_gpu: build what an emulated GPU runs in place of device code.
    """

    def __init__(self, target: AnyTarget, cores: set[int]) -> None:
        self._target = target
        self._directory = tempfile.TemporaryDirectory(prefix="mobilenet-tvm-tune-")
        self._worker = WorkerProcess("tvm_pipeline.backends.workers.build", cores=cores)
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()
        self.for_emulated_gpu = False

    def start(self) -> None:
        """Starts the process, which becomes ready while the caller does something else."""
        self._worker.start()

    def stop(self) -> None:
        """Ends it and removes what it built."""
        self._worker.stop()
        self._directory.cleanup()

    def build(self, schedule: Schedule) -> tuple[Path, str | None]:
        """The path of the shared object, and what went wrong if anything did."""
        return self._build(schedule, Path(self._directory.name) / f"kernel{next(self._numbers)}.so")

    def _build(self, schedule: Schedule, path: Path) -> tuple[Path, str | None]:
        request = BuildRequest(
            module=tvm.ir.save_json(schedule.mod),
            target=str(self._target.tvm),
            output=str(path),
            zig_target=self._target.zig_target,
            compute_capability=self._target.unit.compute_capability,
            for_emulated_gpu=self.for_emulated_gpu,
        )
        try:
            answer: BuildAnswer = self._worker.ask(request, BUILD_TIMEOUT)
        except WorkerFailed as error:
            return path, str(error)
        return path, answer.error

    def reference(self) -> Path:
        """The kernel that shows whether a machine is quiet, built when first asked for."""
        path = Path(self._directory.name) / "reference.so"
        with self._turn:
            if not path.exists():
                space = Space.of(REFERENCE, generator_for(REFERENCE, self._target.unit), self._target.unit)
                choice = space.choice(space.generator.default(REFERENCE, self._target.unit))
                assert choice is not None
                self._build(space.schedule(choice), path)
        return path


class Measurement:
    """Two warm processes: one builds, one runs. Use as a context; both end with it."""

    record = MEASURED
    is_repeatable = False
    lanes = 1

    def __init__(self, target: AnyTarget, threads: int) -> None:
        self.cores = Cores.split(threads)
        self.overlaps = self.cores.overlap
        self._unit = target.unit
        self._builder = KernelBuilder(target, set(self.cores.building))
        environment = {"TVM_NUM_THREADS": str(threads), "TVM_BIND_THREADS": "0", "OMP_NUM_THREADS": str(threads)}
        self._runner = WorkerProcess("tvm_pipeline.backends.workers.run", environment, set(self.cores.running))

    def __enter__(self) -> "Measurement":
        self._builder.start()
        self._runner.start()
        self._all_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.cores.building)  # the search itself must not disturb what is being measured
        return self

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self._all_cores)
        self._runner.stop()
        self._builder.stop()

    def build(self, schedule: Schedule) -> tuple[Path, str | None]:
        """The path of the shared object, and what went wrong if anything did."""
        return self._builder.build(schedule)

    def run(self, artifact: Path, layer: Layer) -> RunAnswer:
        """Measures a built kernel and deletes it."""
        request = run_request(artifact, layer, self._builder.reference(), self._unit)
        try:
            answer: RunAnswer = self._runner.ask(request, RUN_TIMEOUT)
        except WorkerFailed as error:
            answer = RunAnswer((), None, False, str(error))
        artifact.unlink(missing_ok=True)
        return answer
