"""The trials of a tuning run: a MetaSchedule JSON database that survives being killed at any moment."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from tvm.ir import IRModule
from tvm.s_tir import Schedule
from tvm.s_tir import meta_schedule as ms
from tvm.s_tir.schedule import Trace

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import replacing
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules.annotations import anchor_descriptor
from tvm_pipeline.schedules.cpu import dot_products
from tvm_pipeline.schedules.gpu import tensor_cores

WORKLOADS, RECORDS = "database_workload.json", "database_tuning_record.json"
FAILED_SECONDS = 1e10
"""MetaSchedule's mark for a candidate that did not build or run."""


def repair(directory: Path, warn: Callable[[str], None]) -> None:
    """Drops a last line that a kill cut off, and records whose workload is missing; says what was dropped."""
    workloads, records = directory / WORKLOADS, directory / RECORDS
    for path in (workloads, records):
        if path.exists():
            _keep_lines(path, _is_json, warn)
    if records.exists():
        known = len(workloads.read_text().splitlines()) if workloads.exists() else 0
        _keep_lines(records, lambda line: int(json.loads(line)[0]) < known, warn)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _keep_lines(path: Path, is_good: Callable[[str], bool], warn: Callable[[str], None]) -> None:
    text = path.read_text(errors="replace")
    lines = text.splitlines()
    good = [line for line in lines if is_good(line)]
    if len(good) < len(lines) or (text and not text.endswith("\n")):
        if len(good) < len(lines):
            warn(f"{path} was cut off: {len(lines) - len(good)} unfinished line(s) dropped, {len(good)} kept")
        with replacing(path) as whole:
            whole.write_text("".join(line + "\n" for line in good))


def claim(directory: Path) -> FileLock:
    """Keeps other processes from tuning in the folder until the lock is released, or this process ends however it may.

    :raises UserError: another one is at it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"another process is tuning in {directory}: wait for it, or name another folder") from error
    return lock


class TrialDatabase:
    """One folder of trials; every ``add`` is on disk when it returns.

    A trial's thread count is its target's ``num-cores``: times for other counts may lie in the same folder.
    """

    def __init__(self, directory: Path, target: AnyTarget, threads: int, warn: Callable[[str], None]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        repair(directory, warn)
        for intrinsics in (tensor_cores, dot_products):  # the traces of earlier trials may name theirs
            intrinsics.register()
        self._threads = threads
        self._target = target
        self._database = ms.database.JSONDatabase(work_dir=str(directory))
        self._workloads: dict[str, ms.database.Workload] = {}

    def add(
        self,
        descriptor: str,
        module: IRModule,
        schedule: Schedule,
        seconds: Sequence[float],
        threads: int | None = None,
    ) -> None:
        """Appends one trial.

        :param seconds: of one call each; empty for a candidate that failed.
        :param threads: None for the database's own count.
        """
        if descriptor not in self._workloads:
            self._workloads[descriptor] = self._database.commit_workload(module)
        arguments = ms.arg_info.ArgInfo.from_entry_func(module, remove_preproc=False)
        times = list(seconds) or [FAILED_SECONDS]
        target = self._target.with_cores(threads or self._threads)
        record = ms.database.TuningRecord(schedule.trace, self._workloads[descriptor], times, target, arguments)
        self._database.commit_tuning_record(record)

    def trials(self) -> Iterator[tuple[str, Trace, list[float] | None]]:
        """Descriptor, trace and times of every trial of a layer with the database's thread count; no times where the
        candidate failed."""
        descriptors: dict[int, str | None] = {}
        for record in self._database.get_all_tuning_records():
            if int(record.target.attrs.get("num-cores", self._threads)) != self._threads:
                continue
            key = record.workload.shash if hasattr(record.workload, "shash") else hash(record.workload)
            if key not in descriptors:
                descriptors[key] = anchor_descriptor(Schedule(record.workload.mod))
            descriptor = descriptors[key]
            if descriptor is not None:
                seconds = [float(second) for second in record.run_secs or ()]
                yield descriptor, record.trace, seconds if seconds and max(seconds) < FAILED_SECONDS else None
