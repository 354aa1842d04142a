"""Merges what a tuning session found into the logs, with the conditions that it was found under."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import ChoiceRecord, choices_path, read_choices, write_choices
from mobilenet_tvm.base.logs.tuning_log import (
    MEASURED,
    TuningRecord,
    best_of_slots,
    choice_of,
    log_path,
    read_campaigns,
    read_log,
    write_campaigns,
    write_log,
)
from tvm_pipeline.backends.conditions import Conditions
from tvm_pipeline.compile import versions
from tvm_pipeline.schedules import Decisions, generator_for, label_of
from tvm_pipeline.tuning.in_network import Verdict
from tvm_pipeline.tuning.journal import Timed
from tvm_pipeline.tuning.task import Best, Task

IN_NETWORK = " in network"
"""Ends the name of a campaign whose seconds were measured inside networks."""
VARIANT_GAIN = 1.03
"""A record for several threads is kept only where the schedule for one thread takes so many times as long with them."""


class LogWriter:
    """Keeps the best of a session in the log file. A record gives way to a faster one of its kind, a modelled one to
    every measured one.

    :param conditions: where the session's seconds come from.
    :ivar path: the log file.
    """

    def __init__(self, logs: Path, task: Task, conditions: Conditions) -> None:
        self._logs, self._task, self._conditions = logs, task, conditions
        self.path = log_path(logs, task.target.name, task.dtype)
        self._before = {record.key: record for record in read_log(self.path)}
        self._original = self._best_before = best_of_slots(self._before.values())
        self._written = self._before
        self._campaigns = read_campaigns(logs, task.target.name)

    def write(self, bests: Sequence[Best], reference_seconds: float | None) -> set[str]:
        """Writes the log and the campaign's conditions.

        :param reference_seconds: the reference kernel's, as measured in this session.
        :returns: the descriptors that improved on the file as it was.
        """
        records = dict(self._before)
        for best in bests:
            record = self._record(best.layer, best.decisions, best.seconds)
            others = [self._record(best.layer, *choice) for choice in best.elsewhere if choice[0] != best.decisions]
            old = self._best_before.get(record.slot)
            if _earns_a_record(best) and (old is None or self._gives_way(old, record)):
                if old is not None and not self._is_of_others(old):
                    del records[old.key]
                records[record.key] = record
                records |= {other.key: other for other in others}
        if records != self._written:
            write_log(self.path, records.values())
            self._written = records
        improved = {record.layer for key, record in records.items() if record is not self._before.get(key)}
        if improved:
            self._describe("", reference_seconds)
        return improved

    def _describe(self, where: str, reference_seconds: float | None) -> None:
        """Writes the conditions beside the log, of the campaign whose seconds come from that place."""
        name = self._task.target.name
        campaigns = read_campaigns(self._logs, name)
        description = self._description(reference_seconds)
        if where:
            remarks = [description["remarks"], "seconds are those of kernels inside a network"]
            description["remarks"] = "; ".join(remark for remark in remarks if remark)
        campaigns[self._conditions.campaign + where] = description
        write_campaigns(self._logs, name, campaigns)

    def keep(self, verdict: Verdict) -> set[str]:
        """Writes what was judged in a network, in place of what the CPU's log had for its layers.

        :returns: the descriptors whose choice is another than in the file as it was.
        """
        slots = {self._record(layer, {}, 0.0).slot for layer in verdict.layers}
        others = {old.key: old for old in read_log(self.path) if old.slot not in slots}
        judged = [self._judged(layer, timed) for layer, timed in verdict.layers.items() if self._is_own(layer, timed)]
        kept = {record.key: record for records in judged for record in records}
        changed = {best.layer for best, *_ in judged if not self._was_best(best)}
        self._before = others | kept
        self._best_before = best_of_slots(self._before.values())
        self._written = self._before
        write_log(self.path, self._before.values())
        self._write_choices(verdict)
        self._describe(IN_NETWORK, None)
        self._forget_campaign()
        return changed

    def _was_best(self, record: TuningRecord) -> bool:
        old = self._original.get(record.slot)
        return old is not None and choice_of(old) == choice_of(record)

    def _forget_campaign(self) -> None:
        """Drops the conditions of kernels measured alone once no line names them."""
        name, campaign = self._task.target.name, self._conditions.campaign
        quoted = f'"{campaign}"'
        if not any(quoted in path.read_text(encoding="utf-8") for path in (self._logs / name).rglob("*.jsonl")):
            campaigns = {key: value for key, value in read_campaigns(self._logs, name).items() if key != campaign}
            write_campaigns(self._logs, name, campaigns)

    def _judged(self, layer: Layer, timed: Sequence[Timed]) -> list[TuningRecord]:
        """A layer's choice that is kept, and the slower choices of other CPUs."""
        elsewhere = self._task.elsewhere.get(layer, ())
        compared = [one for one in timed[1:] if one.decisions in elsewhere and one.seconds > timed[0].seconds]
        campaign = self._conditions.campaign + IN_NETWORK
        records = [self._record(layer, one.decisions, one.seconds) for one in (timed[0], *compared)]
        return [replace(record, campaign=campaign) for record in records]

    def _is_own(self, layer: Layer, timed: Sequence[Timed]) -> bool:
        """Whether the first of the choices is worth a record beside that for one thread."""
        if self._task.threads == 1 or layer not in self._task.rivals:
            return True
        rival, best = self._task.rivals[layer], timed[0]
        seconds = next((one.seconds for one in timed if one.decisions == rival), None)
        return best.decisions != rival and (seconds is None or seconds >= VARIANT_GAIN * best.seconds)

    def _write_choices(self, verdict: Verdict) -> None:
        path = choices_path(self._logs, self._task.target.name, self._task.dtype)
        records = [
            ChoiceRecord(
                layer=str(choosing.layer),
                threads=self._task.threads,
                choice=choosing.choice,
                seconds_with=choosing.seconds_with,
                seconds_without=choosing.seconds_without,
                campaign=self._conditions.campaign + IN_NETWORK,
                cpu=self._conditions.cpu,
            )
            for choosing in verdict.choices
        ]
        if records:
            write_choices(path, [*read_choices(path), *records])

    def _is_of_others(self, record: TuningRecord) -> bool:
        """Whether its choice is the best one of another CPU, too: then it stays, to be compared there."""
        layer, threads, cpu = record.slot
        return any(
            slot[:2] == (layer, threads) and slot[2] != cpu and choice_of(other) == choice_of(record)
            for slot, other in self._best_before.items()
        )

    def _gives_way(self, old: TuningRecord, new: TuningRecord) -> bool:
        if old.generator != new.generator:
            return True
        if old.campaign.endswith(IN_NETWORK):  # what a kernel takes alone says nothing against that
            return False
        if old.record != new.record:
            return new.record == MEASURED
        model = self._campaigns.get(old.campaign, {}).get("model")
        is_comparable = new.record == MEASURED or model == self._conditions.model
        return not is_comparable or new.seconds < old.seconds

    def _record(self, layer: Layer, decisions: Decisions, seconds: float) -> TuningRecord:
        return TuningRecord(
            layer=str(layer),
            threads=self._task.threads,
            generator=label_of(generator_for(layer, self._task.target.unit)),
            decisions=dict(decisions),
            seconds=seconds,
            record=self._conditions.record,
            campaign=self._conditions.campaign,
            cpu=self._conditions.cpu,
        )

    def _description(self, reference_seconds: float | None) -> dict[str, Any]:
        installed = versions()
        description = {
            "device": self._conditions.device,
            "cpu_model": self._conditions.cpu_model,
            "cpu": self._conditions.cpu,
            "tvm": installed["tvm_version"],
            "llvm": installed["llvm_version"],
            "date": datetime.date.today().isoformat(),
            "threads": self._task.threads,
            "reference_kernel_seconds": reference_seconds,
            "remarks": self._conditions.remarks,
        }
        modelled = {"model": self._conditions.model, "gpu": self._conditions.gpu}
        return {**description, **{key: value for key, value in modelled.items() if value is not None}}


def _earns_a_record(best: Best) -> bool:
    return best.rival_seconds is None or best.rival_seconds >= VARIANT_GAIN * best.seconds
