"""The tuning logs: what they hold, whether they still apply, and their way into anyone's TVM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import targets
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.paths import cache_dir
from mobilenet_tvm.base.tuning_log import TuningRecord, read_campaigns
from mobilenet_tvm.model.coverage import as_strings, log_folders, records_of
from mobilenet_tvm.verbs.compile import PIPELINE, check_dtype
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


def logs_show(*, all: bool = False, target: str | None = None, logs: str | Path | None = None) -> dict[str, Any]:
    """What the logs hold.

    :param all: every record too, under ``records``.
    :param target: only this target's own logs.
    :returns: ``schemas/logs_show.json``; ``trials`` counts the finished trials in the tuning databases.
    :raises UserError: a newer version wrote a log.
    """
    folders = log_folders(logs)
    names = [targets.load(target).name] if target is not None else _targets_with_logs(folders)
    entries = list(_entries(folders, names))
    payload: dict[str, Any] = {
        "trials": _count_trials(logs),
        "logs": [
            {
                "folder": str(folder),
                "target": name,
                "dtype": dtype,
                "layers": len({record.layer for record in records}),
                "records": len(records),
                "by_record": dict(Counter(record.record for record in records)),
                "threads": sorted({record.threads for record in records}),
                "campaigns": {
                    campaign: read_campaigns(folder, name).get(campaign)
                    for campaign in sorted({record.campaign for record in records})
                },
            }
            for folder, name, dtype, records in entries
        ],
    }
    if all:
        payload["records"] = [
            {"target": name, "dtype": dtype, **asdict(record)}
            for _, name, dtype, records in entries
            for record in records
        ]
    return payload


def _pass_on(
    verb: str, target: str, dtype: str, logs: str | Path | None, on_event: OnEvent, **more: Any
) -> dict[str, Any]:
    chosen = targets.load(target)
    check_dtype(dtype, chosen)
    request = {
        "verb": verb,
        "target": chosen.to_json(),
        "can_run": not chosen.missing_here(),
        "dtype": dtype,
        "logs": as_strings(log_folders(logs)),
        **more,
    }
    return run_child(PIPELINE, request, on_event, block=("torch",))


def logs_check(
    target: str = targets.target.NATIVE,
    *,
    dtype: str = "float32",
    logs: str | Path | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Replay, build and verify every line of a target's logs with this TVM; on a CPU that lacks the target's
    instructions, replay and build.

    :returns: ``schemas/logs_check.json``; it names the lines that no longer apply.
    """
    can_run = not targets.load(target).missing_here()
    return _pass_on("logs_check", target, dtype, logs, on_event, can_run=can_run)


def logs_export(
    metaschedule: str | Path,
    target: str = targets.target.NATIVE,
    *,
    dtype: str = "float32",
    logs: str | Path | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Write a target's logs as a MetaSchedule database, which anyone's TVM opens.

    :param metaschedule: the folder to write.
    :returns: ``schemas/logs_export.json``.
    """
    path = Path(metaschedule).absolute()
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / _DATABASE).is_file()):
        raise UserError(f"{metaschedule} exists and is no MetaSchedule database: name another folder")
    return _pass_on("logs_export", target, dtype, logs, on_event, out=str(path))
