"""Kernels built in a warm process of their own."""

import itertools
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tvm
from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.backend import BuildFailed
from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess
from tvm_pipeline.backends.workers.run import BuiltKernel, RunRequest
from tvm_pipeline.codegen.link import link_shared
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads import workload_of

REFERENCE = Layer.parse("pointwise 14x14x64->64 bias relu")
"""The kernel that shows whether a machine is quiet."""
BUILD_TIMEOUT = 60.0

Link = Callable[[str, list[str]], None]
"""Makes ``output`` out of object files."""
DeviceCode = Callable[[], AbstractContextManager[object]]
"""Within, TVM's CUDA source becomes device code, or what an emulated GPU runs; a CPU's kernels need neither."""


@dataclass(frozen=True)
class BuildRequest:
    """A scheduled module and a target as TVM's JSON, and where to write what is linked; all of it can be pickled."""

    module: str
    target: str
    output: str
    link: Link
    device_code: DeviceCode


class Compiler:
    """What the process does."""

    def build(self, request: BuildRequest) -> str | None:
        """Builds and links one kernel; whatever goes wrong is an answer, not an exception."""

        def link(output: str, objects: list[str], options: object = None, **_: object) -> None:
            request.link(output, objects)

        try:
            module = tvm.ir.load_json(request.module)
            with request.device_code():
                executable = tvm.compile(module, tvm.target.Target(request.target), tir_pipeline=CODEGEN_PIPELINE)
            executable.export_library(request.output, fcompile=link)
        except Exception as error:
            lines = str(error).strip().splitlines()
            return f"{type(error).__name__}: {lines[-1] if lines else ''}"
        return None


class KernelBuilder:
    """Builds a target's kernels into a folder of its own, which ``stop`` removes.

    :param cores: CPU cores that may build; None: all.
    :param link: what a kernel becomes; a shared object unless said otherwise.
    """

    def __init__(
        self,
        target: AnyTarget,
        *,
        cores: frozenset[int] | None = None,
        link: Link | None = None,
        device_code: DeviceCode = nullcontext,
        timeout: float = BUILD_TIMEOUT,
    ) -> None:
        self._target = target
        self._link = link or partial(link_shared, zig_target=target.zig_target)
        self._device_code = device_code
        self._timeout = timeout
        self._folder = tempfile.TemporaryDirectory(prefix="mobilenet-tvm-tune-")
        self._worker = WorkerProcess(Compiler(), cores=cores)
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()
        self._reference: Path | None = None

    def start(self) -> None:
        """Starts the process, which becomes ready while the caller does something else."""
        self._worker.start()

    def stop(self) -> None:
        """Ends it and removes what it built."""
        self._worker.stop()
        self._folder.cleanup()

    def build(self, schedule: Schedule) -> Path:
        """The path of the linked kernel.

        :raises BuildFailed: what went wrong.
        """
        path = Path(self._folder.name) / f"kernel{next(self._numbers)}.so"
        module = tvm.ir.save_json(schedule.mod)
        request = BuildRequest(module, str(self._target.tvm), str(path), self._link, self._device_code)
        try:
            error = self._worker.ask(Compiler.build, request, self._timeout)
        except WorkerFailed as failure:
            raise BuildFailed(str(failure)) from failure
        if error is not None:
            raise BuildFailed(error)
        return path

    def run_request(self, artifact: Path, layer: Layer) -> RunRequest:
        """What asks for a built kernel's time, beside that of a reference kernel, which is built when first needed."""
        with self._turn:
            if self._reference is None:
                space = Space.of(REFERENCE, self._target.unit)
                self._reference = self.build(space.schedule(space.default))
        return RunRequest(self._kernel(artifact, layer), self._kernel(self._reference, REFERENCE))

    def _kernel(self, artifact: Path, layer: Layer) -> BuiltKernel:
        workload = workload_of(layer, self._target.unit)
        return BuiltKernel(str(artifact), workload.shapes, workload.dtypes)
