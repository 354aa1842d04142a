"""The tuning logs: what they hold, whether they still apply, and their way into anyone's TVM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import targets
from mobilenet_tvm.base.answers import LogsChecked, LogsExported
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.document import UNSET, Count, Document, UnsetType, Whole
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.jobs import PIPELINE, LogsCheckJob, LogsExportJob
from mobilenet_tvm.base.logs.choice_log import LoggedChoices
from mobilenet_tvm.base.logs.tuning_log import TuningRecord, read_campaigns
from mobilenet_tvm.base.paths import cache_dir
from mobilenet_tvm.base.target_spec import NATIVE
from mobilenet_tvm.model.coverage import log_folders, records_of
from mobilenet_tvm.verbs.compile import check_dtype
from mobilenet_tvm.verbs.tune import WORK

_DATABASE = "database_tuning_record.json"  # MetaSchedule's name for it; a line per trial


def _targets_with_logs(folders: Sequence[Path]) -> list[str]:
    found = {path.parent.name for folder in folders for path in folder.glob("*/*.jsonl")}
    return sorted(name for name in found if not name.startswith("."))


def _count_trials(logs: str | Path | None) -> int:
    """Finished trials in the databases that tuning worked in."""
    root = cache_dir() / "tuning" if logs is None else Path(logs) / WORK
    total = 0
    for path in root.glob(f"**/{_DATABASE}"):
        with path.open("rb") as stream:
            total += sum(1 for line in stream if line.strip())
    return total


def _entries(folders: Sequence[Path], names: Sequence[str]) -> Iterator[tuple[Path, str, str, list[TuningRecord]]]:
    for folder in folders:
        for name in names:
            for dtype, records in records_of([folder], name).items():
                yield folder, name, dtype, records


class LogContents(Document):
    """What one log holds.

    :ivar by_cpu: how many records are of which CPU, by LLVM's names.
    :ivar campaigns: what is known of each under which its records were measured.
    """

    folder: str
    target: str
    dtype: str
    layers: Whole
    records: Whole
    by_record: dict[str, Whole]
    by_cpu: dict[str, Whole]
    threads: tuple[Count, ...]
    campaigns: dict[str, dict[str, Any] | None]


class ShownRecord(TuningRecord):
    """A line of a log, and whose log it is."""

    target: str
    dtype: str


class LogsShown(Document):
    """What ``logs_show`` returns.

    :ivar trials: finished trials in the tuning databases.
    :ivar records: with ``all``.
    """

    trials: Whole
    logs: tuple[LogContents, ...]
    records: tuple[ShownRecord, ...] | UnsetType = UNSET


def _contents(folder: Path, target: str, dtype: str, records: Sequence[TuningRecord]) -> LogContents:
    known = read_campaigns(folder, target)
    return LogContents(
        folder=str(folder),
        target=target,
        dtype=dtype,
        layers=len({record.layer for record in records}),
        records=len(records),
        by_record=dict(Counter(record.record for record in records)),
        by_cpu=dict(Counter(record.cpu for record in records if record.cpu is not None)),
        threads=tuple(sorted({record.threads for record in records})),
        campaigns={campaign: known.get(campaign) for campaign in sorted({record.campaign for record in records})},
    )


def logs_show(*, all: bool = False, target: str | None = None, logs: str | Path | None = None) -> LogsShown:
    """What the logs hold.

    :param all: every record too, under ``records``.
    :param target: only this target's own logs.
    :returns: ``schemas/logs_show.json``; ``trials`` counts the finished trials in the tuning databases.
    :raises UserError: a newer version wrote a log.
    """
    folders = log_folders(logs)
    names = [targets.load(target).name] if target is not None else _targets_with_logs(folders)
    entries = list(_entries(folders, names))
    records = tuple(
        ShownRecord(**record, target=name, dtype=dtype) for _, name, dtype, records in entries for record in records
    )
    return LogsShown(
        trials=_count_trials(logs),
        logs=tuple(_contents(*entry) for entry in entries),
        records=records if all else UNSET,
    )


def logs_check(
    target: str = NATIVE,
    *,
    dtype: str = "float32",
    logs: str | Path | None = None,
    on_event: OnEvent = warn_only,
) -> LogsChecked:
    """Replay, build and verify every line of a target's logs with this TVM; on a CPU that lacks the target's
    instructions, replay and build.

    :returns: ``schemas/logs_check.json``; it names the lines that no longer apply.
    :raises UserError: a line is no record, or no record of a choice between kernels.
    """
    chosen = targets.load(target)
    check_dtype(dtype, chosen)
    folders, can_run = tuple(log_folders(logs)), not chosen.missing_here()
    LoggedChoices.load(folders, chosen.logs, dtype, threads=1)
    job = LogsCheckJob(target=chosen, dtype=dtype, logs=folders, can_run=can_run)
    return run_child(PIPELINE, job, LogsChecked, on_event, block=("torch",))


def logs_export(
    metaschedule: str | Path,
    target: str = NATIVE,
    *,
    dtype: str = "float32",
    logs: str | Path | None = None,
    on_event: OnEvent = warn_only,
) -> LogsExported:
    """Write a target's logs as a MetaSchedule database, which anyone's TVM opens.

    :param metaschedule: the folder to write.
    :returns: ``schemas/logs_export.json``.
    """
    path = Path(metaschedule).absolute()
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / _DATABASE).is_file()):
        raise UserError(f"{metaschedule} exists and is no MetaSchedule database: name another folder")
    chosen = targets.load(target)
    check_dtype(dtype, chosen)
    job = LogsExportJob(target=chosen, dtype=dtype, logs=tuple(log_folders(logs)), out=path)
    return run_child(PIPELINE, job, LogsExported, on_event, block=("torch",))
