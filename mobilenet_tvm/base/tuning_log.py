"""Tuning logs: ``<logs>/<target>/<dtype>.jsonl``, one line per layer and thread count. Free of TVM.

A line: ``{"schema": 1, "layer": descriptor, "threads": n, "generator": "name/version", "decisions": {knob: value},
"seconds": s, "record": "measured" | "modelled", "campaign": name}``. ``campaigns.json`` beside it says under which
conditions each campaign ran.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import UnionType
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer, LayerSyntaxError
from mobilenet_tvm.base.paths import replacing

SCHEMA = 1
MEASURED, MODELLED, DEFAULT = "measured", "modelled", "default"
_FIELDS: dict[str, type | UnionType] = {
    "layer": str,
    "threads": int,
    "generator": str,
    "decisions": dict,
    "seconds": int | float,
    "record": str,
    "campaign": str,
}


@dataclass(frozen=True)
class TuningRecord:
    """The best known schedule of one layer.

    :ivar layer: the layer's descriptor.
    :ivar generator: ``name/version`` of the space generator that the decisions belong to.
    :ivar seconds: time of one call of the kernel.
    :ivar record: ``measured`` or ``modelled``.
    """

    layer: str
    threads: int
    generator: str
    decisions: Mapping[str, int]
    seconds: float
    record: str
    campaign: str

    @property
    def key(self) -> tuple[str, int]:
        return self.layer, self.threads

    def to_line(self) -> str:
        values = {**asdict(self), "decisions": dict(self.decisions), "seconds": float(f"{self.seconds:.4g}")}
        return json.dumps({"schema": SCHEMA, **values})


@dataclass(frozen=True)
class Match:
    """A record found for a layer; ``exact`` is False where it was tuned with another epilogue."""

    record: TuningRecord
    exact: bool


def log_path(directory: Path, target: str, dtype: str) -> Path:
    return directory / target / f"{dtype}.jsonl"


def parse_line(line: str, where: str) -> TuningRecord:
    """Raises UserError for a line of a newer schema, or one that is no record."""
    try:
        values = json.loads(line)
        schema = values.pop("schema")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{where} is not a tuning record: repair the line or remove it") from error
    if schema != SCHEMA:
        raise UserError(f"{where} has schema {schema}, this version knows {SCHEMA}: upgrade mobilenet-tvm to read it")
    missing = [field for field in _FIELDS if field not in values]
    if missing:
        raise UserError(f"{where} lacks {', '.join(missing)}: repair the line or remove it")
    wrong = [field for field, kind in _FIELDS.items() if not isinstance(values[field], kind)]
    if not wrong and not all(isinstance(value, int) for value in values["decisions"].values()):
        wrong = ["decisions"]
    if not wrong and values["record"] not in (MEASURED, MODELLED):
        wrong = ["record"]
    if wrong:
        raise UserError(f"{where} has no valid {wrong[0]}: repair the line or remove it")
    try:
        Layer.parse(values["layer"])
    except LayerSyntaxError as error:
        raise UserError(f"{where}: {error}") from error
    return TuningRecord(**{field: values[field] for field in _FIELDS})


def read_log(path: Path) -> list[TuningRecord]:
    """The records of one file, none where it is not there. Raises UserError as ``parse_line`` does."""
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a tuning log: it is no text") from error
    return [parse_line(line, f"{path} line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def write_log(path: Path, records: Iterable[TuningRecord]) -> None:
    """Replaces the file at once, lines sorted so that two logs can be compared."""
    ordered = sorted(records, key=lambda record: record.key)
    with replacing(path) as temporary:
        temporary.write_text("".join(record.to_line() + "\n" for record in ordered), encoding="utf-8")


def read_campaigns(directory: Path, target: str) -> dict[str, dict[str, Any]]:
    """What is known of each campaign whose records the target's logs hold. Raises UserError for a broken file."""
    path = directory / target / "campaigns.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is not a JSON object: repair it or remove it") from error


def write_campaigns(directory: Path, target: str, campaigns: Mapping[str, Mapping[str, Any]]) -> None:
    text = json.dumps(dict(campaigns), indent=2, sort_keys=True) + "\n"
    with replacing(directory / target / "campaigns.json") as temporary:
        temporary.write_text(text, encoding="utf-8")


class TuningLogs:
    """Records of several folders and targets, looked up by layer.

    ``sources`` come in the order in which they are preferred: times of different machines say nothing about each other.
    """

    def __init__(self, *sources: Iterable[TuningRecord]) -> None:
        self._exact: dict[str, list[_Ranked]] = {}
        self._anchor: dict[str, list[_Ranked]] = {}
        for position, records in enumerate(sources):
            for record in records:
                self._exact.setdefault(record.layer, []).append((position, record))
                self._anchor.setdefault(str(Layer.parse(record.layer).anchor), []).append((position, record))

    @staticmethod
    def load(directories: Sequence[Path], targets: Sequence[str], dtype: str) -> "TuningLogs":
        """All records of the targets in the folders. Raises UserError as ``parse_line`` does."""
        paths = [log_path(directory, target, dtype) for directory in directories for target in targets]
        return TuningLogs(*(read_log(path) for path in paths))

    def find(self, layer: Layer, threads: int, generator: str | None = None) -> Match | None:
        """The best record for a layer: its own epilogue before others, measured before modelled, the asked thread
        count before others, the first source before others, then the shortest time.

        ``generator`` (``name/version``) leaves out records that another one made.
        """
        for exact, known in ((True, self._exact.get(str(layer), ())), (False, self._anchor.get(str(layer.anchor), ()))):
            candidates = [one for one in known if generator in (None, one[1].generator)]
            if candidates:
                return Match(min(candidates, key=lambda one: _rank(one, threads))[1], exact)
        return None


_Ranked = tuple[int, TuningRecord]


def _rank(ranked: _Ranked, threads: int) -> tuple[bool, bool, int, float]:
    position, record = ranked
    return record.record != MEASURED, record.threads != threads, position, record.seconds
