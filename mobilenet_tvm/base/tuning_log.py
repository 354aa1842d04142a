"""Tuning logs: ``<logs>/<target>/<dtype>.jsonl``, one line per layer and thread count. Free of TVM.

A line: ``{"schema": 1, "layer": descriptor, "threads": n, "generator": "name/version", "decisions": {knob: value},
"seconds": s, "record": "measured" | "modelled", "campaign": name}``. ``campaigns.json`` beside it says under which
conditions each campaign ran.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

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
    """

    layer: str
    threads: Count
    generator: str
    decisions: Mapping[str, int]
    seconds: Factor
    record: Origin
    campaign: str

    @property
    def key(self) -> tuple[str, int]:
        return self.layer, self.threads

    def to_line(self) -> str:
        return json.dumps({"schema": SCHEMA, **self.to_json(), "seconds": float(f"{self.seconds:.4g}")})


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
    """Replaces the file at once, lines sorted so that two logs can be compared."""
    ordered = sorted(records, key=lambda record: record.key)
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
        """All records of the targets in the folders.

        :raises UserError: as ``parse_line`` does.
        """
        paths = [log_path(directory, target, dtype) for directory in directories for target in targets]
        return TuningLogs(*(read_log(path) for path in paths))

    def find(self, layer: Layer, threads: int, generator: str | None = None) -> Match | None:
        """The best record for a layer: its own epilogue before others, measured before modelled, the asked thread
        count before others, the first source before others, then the shortest time.

        ``generator`` (``name/version``) leaves out records that another one made.
        """
        for exact, known in ((True, self._exact.get(str(layer), ())), (False, self._anchor.get(str(layer.anchor), ()))):
            candidates = [ranked for ranked in known if generator in (None, ranked[1].generator)]
            if candidates:
                return Match(min(candidates, key=lambda ranked: _rank(ranked, threads))[1], exact)
        return None


_Ranked = tuple[int, TuningRecord]


def _rank(ranked: _Ranked, threads: int) -> tuple[bool, bool, int, float]:
    position, record = ranked
    return record.record != MEASURED, record.threads != threads, position, record.seconds
