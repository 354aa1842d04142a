"""Tuning a model's layers and writing what was found into tuning logs."""

import contextlib
import tempfile
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import tvm
from onnx import ModelProto

from mobilenet_tvm.base.answers import TunedLayer, TuningResult
from mobilenet_tvm.base.events import Progress, Trial
from mobilenet_tvm.base.jobs import TuneJob
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.tracker import Device
from mobilenet_tvm.base.tuning_log import TuningLogs
from tvm_pipeline.backends.backend import Setup
from tvm_pipeline.backends.choose import open_backend
from tvm_pipeline.hardware.target import AnyTarget, Target
from tvm_pipeline.importer.fault import fault_named
from tvm_pipeline.importer.import_onnx import convert, read_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.schedules.annotations import anchor_descriptor
from tvm_pipeline.tuning.database import TrialDatabase, claim
from tvm_pipeline.tuning.listener import deferred_interrupt
from tvm_pipeline.tuning.log_writer import LogWriter
from tvm_pipeline.tuning.session import Session
from tvm_pipeline.tuning.task import Best, Budget, Task


def _lower(model: ModelProto, target: AnyTarget) -> tvm.IRModule:
    with target.tvm:
        return lower(convert(model), target.unit)


def layers_of(onnx_path: Path, target: AnyTarget, shapes: Mapping[str, Sequence[int]] | None) -> Counter[Layer]:
    """The model's kernels by descriptor, and how often each is called.

    :raises UserError: the file cannot be compiled.
    """
    model = read_onnx(onnx_path, shapes)
    with fault_named(model, partial(_lower, target=target)):
        module = _lower(model, target)
    descriptors: dict[str, str] = {}
    for variable, function in module.functions_items():
        if isinstance(function, tvm.tirx.PrimFunc):
            descriptor = anchor_descriptor(tvm.s_tir.Schedule(tvm.IRModule({"main": function})))
            if descriptor is not None:
                descriptors[variable.name_hint] = descriptor
    calls: Counter[Layer] = Counter()

    def visit(node: Any) -> None:
        if isinstance(node, tvm.relax.Call) and isinstance(node.args[0] if node.args else None, tvm.ir.GlobalVar):
            name = node.args[0].name_hint
            if name in descriptors:
                calls[Layer.parse(descriptors[name])] += 1

    tvm.relax.analysis.post_order_visit(module["main"], visit)
    return calls


class _Listener:
    """Passes on what a session tells, and keeps its best in the log.

    :ivar improved: descriptors of the layers that improved on the log as it was.
    """

    def __init__(self, emit: Emit, writer: LogWriter | None, interrupted: threading.Event) -> None:
        self._emit, self._writer, self._interrupted = emit, writer, interrupted
        self.improved: set[str] = set()

    @property
    def is_interrupted(self) -> bool:
        return self._interrupted.is_set()

    def tell(self, event: Trial | Progress) -> None:
        self._emit(event)

    def improve(self, bests: Sequence[Best], reference_seconds: float | None) -> None:
        if self._writer is not None:
            self.improved = self._writer.write(bests, reference_seconds)


def tune_model(job: TuneJob, emit: Emit) -> TuningResult:
    """Tunes the layers of a model and merges the best into the job's logs, ``TARGET/DTYPE.jsonl``.

    Layers that the logs know are only searched further when the budget asks for it, and after the others. An interrupt
    ends the search and keeps everything measured so far. What an emulated board says goes into no log, and its trials
    into no database that is kept.

    :raises UserError: a name is unknown, or no board is left.
    """
    target: AnyTarget = Target.from_json(job.target, job.options.dtype, job.threads)
    device = Device.parse(job.device) if job.device is not None else None
    backend = open_backend(job.options.measure, Setup(target, job.threads, device, emit.warning))
    task = _task(job, target, backend.conditions.cpu if backend.conditions is not None else None)
    budget = Budget(job.options.trials, job.options.seconds)
    chosen = task if budget.is_limited else task.without_known()
    writer = LogWriter(job.logs, task, backend.conditions) if backend.conditions is not None else None
    with contextlib.ExitStack() as stack:
        folder = job.database
        if writer is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mobilenet-tvm-emulated-")))
        stack.callback(claim(folder).release)
        listener = _Listener(emit, writer, stack.enter_context(deferred_interrupt()))
        database = TrialDatabase(folder, task.target, job.threads, emit.warning)
        session = Session(chosen, budget, backend, database, listener)
        if chosen.calls:
            session.run()
        listener.improve(session.best(), session.reference_seconds)
        if session.trials:
            session.model.save(folder / "cost_model.tar")
    return TuningResult(
        trials=session.trials,
        layers=tuple(_tuned(best, listener.improved) for best in session.best()),
        log=str(writer.path) if writer is not None else None,
        already_known=len(task.calls) - len(chosen.calls),
        interrupted=listener.is_interrupted,
        noisy=session.noisy,
        cost_model_updates=session.model.updates,
    )


def _task(job: TuneJob, target: AnyTarget, cpu: str | None) -> Task:
    dtype = job.options.dtype
    known = TuningLogs.load(job.known_logs, target.logs, dtype, cpu)
    return Task.of(layers_of(job.onnx, target, job.shape), known, target, job.threads, dtype)


def _tuned(best: Best, improved: Collection[str]) -> TunedLayer:
    layer = str(best.layer)
    return TunedLayer(
        layer=layer,
        trials=best.trials,
        seconds=best.seconds,
        rival_seconds=best.rival_seconds,
        improved=layer in improved,
    )
