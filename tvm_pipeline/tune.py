"""Tuning a model's layers and writing what was found into tuning logs."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tvm

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.tracker import Device
from mobilenet_tvm.base.tuning_log import TuningLogs, log_path
from tvm_pipeline import skip_tensor_intrinsics
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.schedules import Decisions, generator_for
from tvm_pipeline.schedules.annotations import anchor_descriptor

skip_tensor_intrinsics()


def layers_of(onnx_path: Path, target: AnyTarget, shapes: Mapping[str, Sequence[int]] | None) -> Counter[Layer]:
    """The model's kernels by descriptor, and how often each is called. Raises UserError as ``import_onnx`` does."""
    with target.tvm:
        module = lower(import_onnx(onnx_path, shapes), target.unit)
    descriptors: dict[str, str] = {}
    for variable, function in module.functions_items():
        if isinstance(function, tvm.tirx.PrimFunc):
            found = anchor_descriptor(tvm.s_tir.Schedule(tvm.IRModule({"main": function})))
            if found is not None:
                descriptors[variable.name_hint] = found
    calls: Counter[Layer] = Counter()

    def visit(node: Any) -> None:
        if isinstance(node, tvm.relax.Call) and isinstance(node.args[0] if node.args else None, tvm.ir.GlobalVar):
            name = node.args[0].name_hint
            if name in descriptors:
                calls[Layer.parse(descriptors[name])] += 1

    tvm.relax.analysis.post_order_visit(module["main"], visit)
    return calls


def tune_model(
    onnx_path: Path,
    target: AnyTarget,
    threads: int,
    dtype: str,
    measure: str,
    device: Device | None,
    logs: Path,
    known_logs: TuningLogs,
    database: Path,
    trials: int | None,
    seconds: float | None,
    shapes: Mapping[str, Sequence[int]] | None,
    emit: Emit,
) -> dict[str, Any]:
    """Tunes the layers of a model and merges the best into ``logs/<target>/<dtype>.jsonl``.

    Layers that the logs know are only searched further when ``trials`` or ``seconds`` ask for it, and after the others.
    An interrupt ends the search and keeps everything measured so far. With ``measure`` "model" nothing is measured: the
    static model says what a kernel would cost on the target's core, or on its GPU. With ``device`` boards measure; what
    an emulated board says goes into no log. Raises UserError where a name is unknown or no board is left.
    """
    from tvm_pipeline.backends.choose import choose_backend
    from tvm_pipeline.tuning.database import claim
    from tvm_pipeline.tuning.events import Progress, Trial
    from tvm_pipeline.tuning.interrupt import deferred_interrupt
    from tvm_pipeline.tuning.log_writer import LogWriter, NoLog
    from tvm_pipeline.tuning.session import Budget, Session

    layers = layers_of(onnx_path, target, shapes)
    known = known_decisions(layers, known_logs, threads, target.unit)
    rivals = known_decisions(layers, known_logs, 1, target.unit) if threads > 1 else {}
    chosen = (
        layers
        if trials is not None or seconds is not None
        else {one: n for one, n in layers.items() if one not in known}
    )
    backend, conditions = choose_backend(measure, device, target, threads, emit.warning)
    writer = NoLog() if conditions is None else LogWriter(logs, target, threads, dtype, conditions)

    def on_trial(trial: Trial) -> None:
        emit(
            {
                "event": "trial",
                "trial": trial.number,
                "layer": trial.layer,
                "seconds": trial.seconds,
                "error": trial.error,
                "best": trial.best,
            }
        )
        if trial.seconds is not None and trial.seconds == trial.best:
            writer.write(session)

    def on_progress(progress: Progress) -> None:
        emit({"event": "progress", "stage": "tuning", "done": progress.done, "total": progress.total,
              "elapsed": progress.seconds, "detail": progress.detail})  # fmt: skip

    with contextlib.ExitStack() as stack:
        if conditions is None:  # trials that nobody shall ever take for a board's
            database = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mobilenet-tvm-emulated-")))
        stack.callback(claim(database).release)
        interrupted = stack.enter_context(deferred_interrupt())
        session = Session(
            chosen, known, rivals, target, threads, backend, database, on_trial, on_progress, emit.warning, interrupted
        )
        if chosen:
            session.run(Budget(trials, seconds))
        improved = writer.write(session)
        if session.trials:
            session.save_model()
    return {
        "trials": session.trials,
        "noisy": session.noisy,
        "cost_model_updates": session.model_updates,
        "interrupted": interrupted.is_set(),
        "layers": [
            {
                "layer": str(best.layer),
                "trials": best.trials,
                "seconds": best.seconds,
                "rival_seconds": best.rival_seconds,
                "improved": str(best.layer) in improved,
            }
            for best in session.best()
        ],
        "log": None if conditions is None else str(log_path(logs, target.name, dtype)),
        "already_known": len(layers) - len(chosen),
    }


def known_decisions(
    layers: Mapping[Layer, int], logs: TuningLogs, threads: int, unit: Unit
) -> dict[Layer, list[Decisions]]:
    """What the logs hold for each layer, its own thread count alone."""
    found: dict[Layer, list[Decisions]] = {}
    for layer in layers:
        generator = generator_for(layer, unit)
        match = logs.find(layer, threads, f"{generator.name}/{generator.version}")
        if match is not None and match.record.threads == threads:
            found[layer] = [match.record.decisions]
    return found
