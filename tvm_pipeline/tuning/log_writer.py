"""Writes what a tuning session found into the logs, with the conditions that it was found under."""

import datetime
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.host_cpu import host_features, host_model
from mobilenet_tvm.base.tracker import Device
from mobilenet_tvm.base.tuning_log import (
    MEASURED,
    MODELLED,
    TuningRecord,
    log_path,
    read_campaigns,
    read_log,
    write_campaigns,
    write_log,
)
from tvm_pipeline.backends.arm_model.core import MODEL_VERSION
from tvm_pipeline.backends.boards.session import Board
from tvm_pipeline.backends.gpu_model.version import MODEL_VERSION as GPU_MODEL_VERSION
from tvm_pipeline.compile import versions
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.tuning.session import Best, Session


@dataclass(frozen=True)
class Conditions:
    """Where the seconds of a campaign come from.

    :ivar record: ``measured`` or ``modelled``.
    :ivar campaign: the campaign's name.
    :ivar remarks: what a reader of the figures must know.
    :ivar model: the static model's version, None where a clock was read.
    :ivar gpu: the GPU that ran the kernels, or was modelled.
    """

    record: str
    campaign: str
    device: str
    cpu_model: str
    remarks: str
    model: int | None = None
    gpu: str | None = None

    @staticmethod
    def of_this_machine(target: AnyTarget, threads: int) -> "Conditions":
        """``2026-11-23 amd-epyc 1t``: day, CPU, threads."""
        cpu = "-".join(host_model().lower().replace("(r)", "").replace("(tm)", "").split()[:4])
        name = f"{datetime.date.today().isoformat()} {cpu} {threads}t"
        return Conditions(MEASURED, name, platform.node() and "local", host_model(), remarks(target))

    @staticmethod
    def of_boards(boards: Sequence[Board], device: Device, threads: int) -> "Conditions":
        """``2026-11-23 raspberry-pi-4-model 4t``."""
        names = sorted({board.gpu or board.cpu or device.key for board in boards})
        short = "-".join(names[0].lower().split()[:4])
        name = f"{datetime.date.today().isoformat()} {short} {threads}t"
        told = "" if len(names) == 1 else f"measured on boards that differ: {', '.join(names)}"
        gpu = boards[0].gpu
        cpu = names[0] if gpu is None else boards[0].cpu or "unknown"
        return Conditions(MEASURED, name, f"{len(boards)} x {device.key} over RPC", cpu, told, gpu=gpu)

    @staticmethod
    def of_model(core: str, threads: int) -> "Conditions":
        """``2026-11-23 modelled cortex-a72 1t``."""
        name = f"{datetime.date.today().isoformat()} modelled {core} {threads}t"
        told = "no board was involved: seconds are what the static model says (docs/static_model.md)"
        return Conditions(MODELLED, name, "none", core, told, MODEL_VERSION)

    @staticmethod
    def of_gpu_model(card: str) -> "Conditions":
        """``2026-11-23 modelled a100``."""
        name = f"{datetime.date.today().isoformat()} modelled {card}"
        told = "no GPU was involved: seconds are what the static model says (docs/gpu_model.md)"
        return Conditions(MODELLED, name, "none", "none", told, GPU_MODEL_VERSION, card)


def remarks(target: AnyTarget) -> str:
    """Code for a narrower vector unit than the CPU's."""
    lacks_avx512 = "avx2" in target.cpu_features and "avx512f" not in target.cpu_features
    if lacks_avx512 and "avx512f" in host_features():
        return "AVX2 code, measured on a CPU that has AVX-512"
    return ""


VARIANT_GAIN = 1.03
"""A record for several threads is kept only where the schedule for one thread takes so many times as long with them."""


class NoLog:
    """In a log writer's place where the seconds are an emulator's: nothing is written, nothing improves."""

    def write(self, session: Session) -> set[str]:
        return set()


class LogWriter:
    """Merges a session's best into the log file. A record gives way to a faster one of its kind, a modelled one to
    every measured one."""

    def __init__(self, logs: Path, target: AnyTarget, threads: int, dtype: str, conditions: Conditions) -> None:
        self._logs, self._target, self._threads = logs, target, threads
        self._path = log_path(logs, target.name, dtype)
        self._conditions = conditions
        self._before = {record.key: record for record in read_log(self._path)}
        self._written = self._before
        self._campaigns = read_campaigns(logs, target.name)

    def write(self, session: Session) -> set[str]:
        """Writes the log and the campaign's conditions; returns the descriptors that improved on the file as it was."""
        records = dict(self._before)
        improved = set()
        for best in session.best():
            if best.rival_seconds is not None and best.rival_seconds < VARIANT_GAIN * best.seconds:
                continue
            record = self._record(best)
            old = self._before.get(record.key)
            if old is None or self._gives_way(old, record):
                records[record.key] = record
                improved.add(record.layer)
        if records != self._written:
            write_log(self._path, records.values())
            self._written = records
        if improved:
            campaigns = read_campaigns(self._logs, self._target.name)
            campaigns[self._conditions.campaign] = self._description(session)
            write_campaigns(self._logs, self._target.name, campaigns)
        return improved

    def _gives_way(self, old: TuningRecord, new: TuningRecord) -> bool:
        if old.generator != new.generator:
            return True
        if old.record != new.record:
            return new.record == MEASURED
        comparable = new.record == MEASURED or self._model_of(old) == self._conditions.model
        return not comparable or new.seconds < old.seconds

    def _model_of(self, record: TuningRecord) -> Any:
        campaign: Mapping[str, Any] = self._campaigns.get(record.campaign, {})
        return campaign.get("model")

    def _record(self, best: Best) -> TuningRecord:
        generator = generator_for(best.layer, self._target.unit)
        return TuningRecord(
            layer=str(best.layer),
            threads=self._threads,
            generator=f"{generator.name}/{generator.version}",
            decisions=dict(best.decisions),
            seconds=best.seconds,
            record=self._conditions.record,
            campaign=self._conditions.campaign,
        )

    def _description(self, session: Session) -> dict[str, Any]:
        found = versions()
        told = {
            "device": self._conditions.device,
            "cpu_model": self._conditions.cpu_model,
            "tvm": found["tvm_version"],
            "llvm": found["llvm_version"],
            "date": datetime.date.today().isoformat(),
            "threads": self._threads,
            "reference_kernel_seconds": session.reference_seconds,
            "remarks": self._conditions.remarks,
        }
        more = {"model": self._conditions.model, "gpu": self._conditions.gpu}
        return {**told, **{key: value for key, value in more.items() if value is not None}}
