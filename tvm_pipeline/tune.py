"""Tuning a model's layers and writing what was found into tuning logs."""

import datetime
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tvm

from mobilenet_tvm.child_protocol import Emit
from tvm_pipeline import tvm_import
from tvm_pipeline.compile import versions
from tvm_pipeline.cpu_target import CpuTarget
from tvm_pipeline.import_onnx import import_onnx
from tvm_pipeline.layer import Layer
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.schedules import Decisions, generator_for
from tvm_pipeline.schedules.kernel import anchor_descriptor
from tvm_pipeline.tuning_log import (
    MEASURED,
    TuningLogs,
    TuningRecord,
    log_path,
    read_campaigns,
    read_log,
    write_campaigns,
    write_log,
)

tvm_import.skip_tensor_intrinsics()


def layers_of(onnx_path: Path, target: CpuTarget, shapes: Mapping[str, Sequence[int]] | None) -> Counter[Layer]:
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


def cpu_model() -> str:
    """The CPU's name as the kernel tells it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def campaign_name(target: CpuTarget, threads: int, day: datetime.date) -> str:
    """``2026-11-23 amd-epyc 1t``: day, CPU, threads."""
    cpu = "-".join(cpu_model().lower().replace("(r)", "").replace("(tm)", "").split()[:4])
    return f"{day.isoformat()} {cpu} {threads}t"


def tune_model(
    onnx_path: Path,
    target: CpuTarget,
    threads: int,
    dtype: str,
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
    An interrupt ends the search and keeps everything measured so far.
    """
    from tvm_pipeline.tuning.database import claim
    from tvm_pipeline.tuning.events import Progress, Trial
    from tvm_pipeline.tuning.interrupt import deferred_interrupt
    from tvm_pipeline.tuning.session import Budget, Session

    layers = layers_of(onnx_path, target, shapes)
    known = known_decisions(layers, known_logs, threads)
    rivals = known_decisions(layers, known_logs, 1) if threads > 1 else {}
    chosen = (
        layers
        if trials is not None or seconds is not None
        else {one: n for one, n in layers.items() if one not in known}
    )
    writer = LogWriter(logs, target, threads, dtype)

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

    lock = claim(database)
    with deferred_interrupt() as interrupted:
        session = Session(
            chosen, known, rivals, target, threads, database, on_trial, on_progress, emit.warning, interrupted
        )
        if chosen:
            session.run(Budget(trials, seconds))
        improved = writer.write(session)
        if session.trials:
            session.save_model()
    lock.release()
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
        "log": str(log_path(logs, target.name, dtype)),
        "already_known": len(layers) - len(chosen),
    }


def known_decisions(layers: Mapping[Layer, int], logs: TuningLogs, threads: int) -> dict[Layer, list[Decisions]]:
    """What the logs hold for each layer, its own thread count alone."""
    found: dict[Layer, list[Decisions]] = {}
    for layer in layers:
        generator = generator_for(layer)
        match = logs.find(layer, threads, f"{generator.name}/{generator.version}")
        if match is not None and match.record.threads == threads:
            found[layer] = [match.record.decisions]
    return found


VARIANT_GAIN = 1.03
"""A record for several threads is kept only where the schedule for one thread takes so many times as long with them."""


class LogWriter:
    """Merges a session's best into the log file; a record is replaced only by a faster one."""

    def __init__(self, logs: Path, target: CpuTarget, threads: int, dtype: str) -> None:
        self._logs, self._target, self._threads = logs, target, threads
        self._path = log_path(logs, target.name, dtype)
        self._campaign = campaign_name(target, threads, datetime.date.today())
        self._before = {record.key: record for record in read_log(self._path)}
        self._written = self._before

    def write(self, session: Any) -> set[str]:
        """Writes the log and the campaign's conditions; returns the descriptors that improved on the file as it was."""
        records = dict(self._before)
        improved = set()
        for best in session.best():
            if best.rival_seconds is not None and best.rival_seconds < VARIANT_GAIN * best.seconds:
                continue
            record = self._record(best)
            old = self._before.get(record.key)
            if old is None or record.seconds < old.seconds or not _stands(old, record):
                records[record.key] = record
                improved.add(record.layer)
        if records != self._written:
            write_log(self._path, records.values())
            self._written = records
        if improved:
            campaigns = read_campaigns(self._logs, self._target.name)
            campaigns[self._campaign] = self._conditions(session)
            write_campaigns(self._logs, self._target.name, campaigns)
        return improved

    def _record(self, best: Any) -> TuningRecord:
        generator = generator_for(best.layer)
        return TuningRecord(
            layer=str(best.layer),
            threads=self._threads,
            generator=f"{generator.name}/{generator.version}",
            decisions=dict(best.decisions),
            seconds=best.seconds,
            record=MEASURED,
            campaign=self._campaign,
        )

    def _conditions(self, session: Any) -> dict[str, Any]:
        found = versions()
        return {
            "device": platform.node() and "local",
            "cpu_model": cpu_model(),
            "tvm": found["tvm_version"],
            "llvm": found["llvm_version"],
            "date": datetime.date.today().isoformat(),
            "threads": self._threads,
            "reference_kernel_seconds": session.reference_seconds,
            "remarks": remarks(self._target),
        }


def _stands(old: TuningRecord, new: TuningRecord) -> bool:
    """Whether an old record's time may be compared with a new one's: measured too, and for the same generator."""
    return old.record == MEASURED and old.generator == new.generator


def remarks(target: CpuTarget) -> str:
    """What a reader of the figures must know: code for a narrower vector unit than the CPU's."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if target.unit.lanes == 8 and "avx512f" in flags:
        return "AVX2 code, measured on a CPU that has AVX-512"
    return ""
