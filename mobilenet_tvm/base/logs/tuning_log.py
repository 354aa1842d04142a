"""Tuning logs: ``<logs>/<target>/<dtype>.jsonl``, a line per layer, thread count and CPU. Free of TVM.

A line: ``{"schema": 1, "layer": descriptor, "threads": n, "generator": "name/version", "decisions": {knob: value},
"seconds": s, "record": "measured" | "modelled", "campaign": name, "cpu": "znver5"}``. ``campaigns.json`` beside it says
under which conditions each campaign ran. A layer has a line for each CPU that it was tuned on, and further ones for the
choices of other CPUs that were measured there: they tell which choice serves all of them best.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from mobilenet_tvm.base.cpu_name import distance
from mobilenet_tvm.base.document import Count, Document, Factor
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer, LayerSyntaxError
from mobilenet_tvm.base.paths import replacing

SCHEMA = 1
MEASURED: Final = "measured"
MODELLED: Final = "modelled"
DEFAULT: Final = "default"
Origin = Literal["measured", "modelled"]
"""Where seconds come from: a clock, or a static model."""


class TuningRecord(Document, kw_only=False):
    """The best known schedule of one layer.

    :ivar layer: layer descriptor, such as pointwise 56x56x128->128 bias relu.
    :ivar generator: ``name/version`` of the space generator that the decisions belong to.
    :ivar decisions: the schedule's knobs.
    :ivar seconds: of one call of the kernel.
    :ivar campaign: key in campaigns.json.
    :ivar cpu: LLVM's name of the CPU that the seconds are of; null where that is not known, and of a GPU's.
    """

    layer: str
    threads: Count
    generator: str
    decisions: Mapping[str, int]
    seconds: Factor
    record: Origin
    campaign: str
    cpu: str | None = None

    @property
    def slot(self) -> "Slot":
        """What it is the best choice for, or one among several that were measured."""
        return self.layer, self.threads, self.cpu or ""

    @property
    def key(self) -> tuple["Slot", str]:
        """A line's own: the slot and the choice."""
        return self.slot, choice_of(self)

    def to_line(self) -> str:
        values = {"schema": SCHEMA, **self.to_json(), "seconds": float(f"{self.seconds:.4g}")}
        return json.dumps({name: value for name, value in values.items() if name != "cpu" or value is not None})


Slot = tuple[str, int, str]
"""Layer, threads and CPU."""


def choice_of(record: TuningRecord) -> str:
    """The generator and its decisions, as one text."""
    return f"{record.generator} {json.dumps(dict(sorted(record.decisions.items())))}"


def best_of_slots(records: Iterable[TuningRecord]) -> "dict[Slot, TuningRecord]":
    """The fastest record of each slot, measured before modelled."""
    best: dict[Slot, TuningRecord] = {}
    for record in records:
        old = best.get(record.slot)
        if old is None or _quality(record) < _quality(old):
            best[record.slot] = record
    return best


def _quality(record: TuningRecord) -> tuple[bool, float]:
    return record.record != MEASURED, record.seconds


class _Versioned(Document):
    """What lines of all schemas have."""

    schema: int


class LogLine(TuningRecord):
    """A line of ``tuning_logs/<target>/<dtype>.jsonl``."""

    schema: Literal[1]


@dataclass(frozen=True)
class Match:
    """A record found for a layer; ``exact`` is False where it was tuned with another epilogue."""

    record: TuningRecord
    exact: bool


def log_path(directory: Path, target: str, dtype: str) -> Path:
    return directory / target / f"{dtype}.jsonl"


def parse_line(line: str, where: str) -> TuningRecord:
    """The record of a line.

    :param where: names the line in an error.
    :raises UserError: the line is of a newer schema, or no record.
    """
    try:
        schema = msgspec.json.decode(line, type=_Versioned).schema
        if schema != SCHEMA:
            raise UserError(
                f"{where} has schema {schema}, this version knows {SCHEMA}: upgrade mobilenet-tvm to read it"
            )
        record = msgspec.json.decode(line, type=TuningRecord)
        Layer.parse(record.layer)
    except (msgspec.MsgspecError, LayerSyntaxError) as error:
        raise UserError(f"{where} is not a tuning record ({error}): repair the line or remove it") from error
    return record


def read_log(path: Path) -> list[TuningRecord]:
    """The records of one file, none where it is not there.

    :raises UserError: as ``parse_line`` does.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a tuning log: it is no text") from error
    return [parse_line(line, f"{path} line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def write_log(path: Path, records: Iterable[TuningRecord]) -> None:
    """Replaces the file at once, lines sorted so that two logs can be compared: of each slot the fastest first."""
    ordered = sorted(records, key=lambda record: (record.slot, _quality(record), record.key))
    with replacing(path) as temporary:
        temporary.write_text("".join(record.to_line() + "\n" for record in ordered), encoding="utf-8")


def read_campaigns(directory: Path, target: str) -> dict[str, dict[str, Any]]:
    """What is known of each campaign whose records the target's logs hold.

    :raises UserError: the file is broken.
    """
    path = _campaigns_path(directory, target)
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, Any]]) if path.exists() else {}
    except msgspec.MsgspecError as error:
        raise UserError(f"{path} does not describe campaigns ({error}): repair it or remove it") from error


def write_campaigns(directory: Path, target: str, campaigns: Mapping[str, Mapping[str, Any]]) -> None:
    """Replaces the target's ``campaigns.json`` at once."""
    with replacing(_campaigns_path(directory, target)) as temporary:
        temporary.write_text(json.dumps(campaigns, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _campaigns_path(directory: Path, target: str) -> Path:
    return directory / target / "campaigns.json"


_MIXED = {"float32": ("float32", "int8"), "int8": ("int8", "float32")}
"""Whose layers' descriptors say which they are."""


def read_logs(directories: Sequence[Path], targets: Sequence[str], dtype: str) -> list[list[TuningRecord]]:
    """All records of the targets in the folders that layers of a ``dtype``'s network may have: a quantised one has
    some of float32, and any may be quantised. A list per file.

    :raises UserError: as ``parse_line`` does.
    """
    return [
        read_log(log_path(directory, target, name))
        for directory in directories
        for target in targets
        for name in _MIXED.get(dtype, (dtype,))
    ]


class TuningLogs:
    """Records of several folders and targets, looked up by layer.

    ``sources`` come in the order in which they are preferred: times of different machines say nothing about each other.

    :param cpu: LLVM's name of the CPU that they are wanted for; None for all that a target stands for.
    """

    def __init__(self, *sources: Iterable[TuningRecord], cpu: str | None = None) -> None:
        self.cpu = cpu
        self._exact: dict[str, list[_Ranked]] = {}
        self._anchor: dict[str, list[_Ranked]] = {}
        for position, records in enumerate(sources):
            for record in records:
                self._exact.setdefault(record.layer, []).append((position, record))
                self._anchor.setdefault(str(Layer.parse(record.layer).anchor), []).append((position, record))

    @staticmethod
    def load(directories: Sequence[Path], targets: Sequence[str], dtype: str, cpu: str | None = None) -> "TuningLogs":
        """What ``read_logs`` reads.

        :raises UserError: as ``parse_line`` does.
        """
        return TuningLogs(*read_logs(directories, targets, dtype), cpu=cpu)

    def find(self, layer: Layer, threads: int, generator: str | None = None) -> Match | None:
        """The best record for a layer: its own epilogue before others, measured before modelled, the asked thread
        count before others; then that of the CPU, or the nearest one to it, then the first source, then the shortest
        time; where no CPU is named, of the first source the choice that loses least on the worst of the CPUs.

        ``generator`` (``name/version``) leaves out records that another one made.
        """
        for exact, known in ((True, self._exact.get(str(layer), ())), (False, self._anchor.get(str(layer.anchor), ()))):
            candidates = [ranked for ranked in known if generator in (None, ranked[1].generator)]
            if candidates:
                return Match(self._best(candidates, threads), exact)
        return None

    def choices_elsewhere(self, layer: Layer, threads: int, generator: str) -> list[Mapping[str, int]]:
        """The best choices of other CPUs for that very layer, each once."""
        records = [record for _, record in self._exact.get(str(layer), ()) if record.record == MEASURED]
        others = [
            record
            for record in best_of_slots(records).values()
            if record.generator == generator and record.threads == threads and record.cpu not in (None, self.cpu)
        ]
        return list({choice_of(record): record.decisions for record in others}.values())

    def _best(self, candidates: Sequence["_Ranked"], threads: int) -> TuningRecord:
        def fitness(ranked: _Ranked) -> tuple[bool, bool]:
            return ranked[1].record != MEASURED, ranked[1].threads != threads

        fittest = min(map(fitness, candidates))
        among = [ranked for ranked in candidates if fitness(ranked) == fittest]
        if self.cpu is None:
            return _serves_all(among)
        wanted = self.cpu
        return min(among, key=lambda ranked: (distance(wanted, ranked[1].cpu), ranked[0], ranked[1].seconds))[1]


_Ranked = tuple[int, TuningRecord]


UNMEASURED_LOSS = 1.04
"""What a choice is taken to lose on a CPU that has not measured it: of 74 best choices of other CPUs for AVX-512 that
were measured in networks on Zen 5, half lose less there."""


def _serves_all(candidates: Sequence[_Ranked]) -> TuningRecord:
    """Of the first source's records the one whose choice loses least on the worst of the CPUs, beside the best choice
    there; among equals the oldest campaign's, since seconds of two CPUs say nothing about each other."""
    first = min(position for position, _ in candidates)
    records = [record for position, record in candidates if position == first]
    best = {record.slot: record.seconds for record in best_of_slots(records).values()}
    losses: dict[str, dict[str, float]] = {}
    for record in records:
        of_choice, cpu = losses.setdefault(choice_of(record), {}), record.cpu or ""
        of_choice[cpu] = max(record.seconds / best[record.slot], of_choice.get(cpu, 1.0))
    cpus = {record.cpu or "" for record in records}

    def worst(record: TuningRecord) -> float:
        measured = losses[choice_of(record)]
        return max(measured.get(cpu, UNMEASURED_LOSS) for cpu in cpus)

    return min(records, key=lambda record: (worst(record), record.campaign, record.seconds))
