"""Compiles the kernels of several threads in one call of nvcc: its start takes longer than a kernel."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tvm
from tvm.ir import IRModule
from tvm.tirx.build import codegen_build

from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.codegen.cuda.compiler import device_compiler
from tvm_pipeline.codegen.cuda.fatbin import KernelResources
from tvm_pipeline.hardware.target import GpuTarget

Outcome = list[KernelResources] | str
"""What ptxas says of a candidate's launches, or why there are none."""


class BatchCompiler:
    """Threads first announce their kernels, then ask for what became of them.

    Whoever asks first compiles all that is waiting, once no thread is preparing a kernel any more.
    """

    def __init__(self, target: GpuTarget) -> None:
        self._target = target
        self._changed = threading.Condition()
        self._preparing = 0
        self._is_compiling = False
        self._waiting: dict[str, IRModule] = {}
        self._done: dict[str, Outcome] = {}
        self.calls = 0

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """While a thread is inside, nobody starts nvcc without its kernel."""
        with self._changed:
            self._preparing += 1
        try:
            yield
        finally:
            with self._changed:
                self._preparing -= 1
                self._changed.notify_all()

    def add(self, name: str, functions: IRModule) -> None:
        """Announces a candidate: its device functions, whose names nobody else uses."""
        with self._changed:
            self._waiting[name] = functions

    def forget(self, name: str) -> None:
        """Takes a candidate back, if nothing compiles it yet."""
        with self._changed:
            self._waiting.pop(name, None)

    def resources(self, name: str) -> Outcome:
        """Waits for a candidate that was announced, and forgets it."""
        while True:
            with self._changed:
                while name not in self._done and (self._is_compiling or self._preparing):
                    self._changed.wait()
                if name in self._done:
                    return self._done.pop(name)
                batch, self._waiting = self._waiting, {}
                self._is_compiling = True
            outcomes: dict[str, Outcome] = dict.fromkeys(batch, "the compiler was stopped")
            try:
                outcomes = self._compile(batch)
            finally:
                with self._changed:
                    self._done.update(outcomes)
                    self._is_compiling = False
                    self._changed.notify_all()

    def _compile(self, batch: dict[str, IRModule]) -> dict[str, Outcome]:
        """All together, and one by one where that fails, to see whose fault it is."""
        try:
            resources = self._resources(batch)
        except (UserError, SystemFailure, RuntimeError, ValueError) as error:
            if len(batch) == 1:
                return dict.fromkeys(batch, str(error).strip().splitlines()[-1])
            outcomes = [self._compile({name: functions}) for name, functions in batch.items()]
            return {name: outcome for alone in outcomes for name, outcome in alone.items()}
        return {
            name: [resources[variable.name_hint] for variable in functions.get_global_vars()]
            for name, functions in batch.items()
        }

    def _resources(self, batch: dict[str, IRModule]) -> dict[str, KernelResources]:
        self.calls += 1
        functions = {key: function for module in batch.values() for key, function in module.functions_items()}
        with device_compiler(self._target.unit.arch) as compiled:
            codegen_build(tvm.IRModule(functions), self._target.tvm)
        return {kernel.name: kernel for fatbin in compiled for kernel in fatbin.kernels}
