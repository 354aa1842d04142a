"""Choices between ways to compute a layer, as measured: ``<logs>/<target>/choices/<dtype>.jsonl``. Free of TVM.

A line: ``{"schema": 1, "layer": descriptor, "threads": n, "choice": "fused", "seconds_with": s, "seconds_without": s,
"campaign": name, "cpu": "znver5"}``. Both times are those of the kernels inside a network. Where no line says
otherwise, a rule of the target's unit decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from mobilenet_tvm.base.cpu_name import distance
from mobilenet_tvm.base.document import Count, Document, Factor
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer, LayerSyntaxError
from mobilenet_tvm.base.paths import replacing

SCHEMA = 1
FUSED: Final = "fused"
"""A separable layer as one kernel, in place of a depthwise and a pointwise one."""
STRASSEN: Final = "strassen"
"""A pointwise layer by Strassen's algorithm, where its weights allow that."""
PARALLEL: Final = "parallel"
"""A kernel's loops shared out among all threads, in place of one thread."""
Choice = Literal["fused", "strassen", "parallel"]


CLEAR = 1.1
"""A target for many CPUs leaves its rule where one way loses so many times as much as the other: the rule has been held
against CPUs that have no record, too."""


class ChoiceRecord(Document):
    """What taking a choice, and leaving it, costs.

    :ivar layer: descriptor of the separable layer, of the pointwise one, or of the kernel.
    :ivar seconds_with: of the kernels for one call of the layer, with the choice taken.
    :ivar campaign: key in campaigns.json.
    :ivar cpu: LLVM's name of the CPU.
    """

    layer: str
    threads: Count
    choice: Choice
    seconds_with: Factor
    seconds_without: Factor
    campaign: str
    cpu: str | None = None

    @property
    def is_taken(self) -> bool:
        return self.seconds_with < self.seconds_without

    @property
    def key(self) -> tuple[str, int, str, str]:
        return self.layer, self.threads, self.choice, self.cpu or ""

    def to_line(self) -> str:
        seconds = {name: float(f"{getattr(self, name):.4g}") for name in ("seconds_with", "seconds_without")}
        return json.dumps({"schema": SCHEMA, **self.to_json(), **seconds})


class ChoiceLine(ChoiceRecord):
    """A line of ``tuning_logs/<target>/choices/<dtype>.jsonl``."""

    schema: Literal[1]


def choices_path(directory: Path, target: str, dtype: str) -> Path:
    return directory / target / "choices" / f"{dtype}.jsonl"


def read_choices(path: Path) -> list[ChoiceRecord]:
    """The records of a file, none where it is not there.

    :raises UserError: a line is none.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return [_parse(line, f"{path} line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def _parse(line: str, where: str) -> ChoiceRecord:
    try:
        record = ChoiceRecord.of(msgspec.json.decode(line, type=ChoiceLine))
        Layer.parse(record.layer)
    except (msgspec.MsgspecError, LayerSyntaxError) as error:
        raise UserError(f"{where} is not a record of a choice ({error}): repair the line or remove it") from error
    return record


def write_choices(path: Path, records: Iterable[ChoiceRecord]) -> None:
    """Replaces the file at once, lines sorted; of two records for one layer the later stays."""
    latest = {record.key: record for record in records}
    with replacing(path) as temporary:
        temporary.write_text("".join(latest[key].to_line() + "\n" for key in sorted(latest)), encoding="utf-8")


class LoggedChoices:
    """Which choices the records say to take.

    :param records: those of the first source come first.
    :param threads: of the packages that are to be compiled: only records for as many count.
    :param cpu: LLVM's name of the CPU that they are wanted for; None for all that a target stands for.
    :param forced: what is not left to the records, by choice and descriptor.
    """

    def __init__(
        self,
        records: Iterable[ChoiceRecord] = (),
        threads: int = 1,
        cpu: str | None = None,
        forced: Mapping[tuple[str, str], bool] | None = None,
    ) -> None:
        self._records, self._threads, self._cpu = [*records], threads, cpu
        self._forced = dict(forced or {})
        self._by_layer: dict[tuple[str, str], list[ChoiceRecord]] = {}
        for record in (record for record in self._records if record.threads == threads):
            for name in dict.fromkeys((record.layer, str(Layer.parse(record.layer).anchor))):
                self._by_layer.setdefault((record.choice, name), []).append(record)

    @staticmethod
    def load(
        directories: Sequence[Path], targets: Sequence[str], dtype: str, threads: int, cpu: str | None = None
    ) -> LoggedChoices:
        """All records of the targets in the folders.

        :raises UserError: a line is none.
        """
        paths = [choices_path(directory, target, dtype) for directory in directories for target in targets]
        return LoggedChoices([record for path in paths for record in read_choices(path)], threads, cpu)

    def forcing(self, forced: Mapping[tuple[str, str], bool]) -> LoggedChoices:
        """The same but for these choices, by choice and descriptor."""
        return LoggedChoices(self._records, self._threads, self._cpu, {**self._forced, **forced})

    def taken(self, choice: str, layer: Layer) -> bool | None:
        """Whether the layer takes the choice; None where nothing was measured.

        The layer's own records come before those of layers that differ in what is fused behind them.
        """
        if (choice, str(layer)) in self._forced:
            return self._forced[choice, str(layer)]
        known = self._by_layer.get((choice, str(layer.anchor)), [])
        own = [record for record in known if record.layer == str(layer)] or known
        return self._decide(own) if own else None

    def _decide(self, records: Sequence[ChoiceRecord]) -> bool | None:
        """By the CPU's own record or its nearest kin's; for all CPUs, what loses clearly less on the worst of them."""
        wanted = self._cpu
        if wanted is not None:
            return min(records, key=lambda record: distance(wanted, record.cpu)).is_taken
        loss_with = max(1.0, *(record.seconds_with / record.seconds_without for record in records))
        loss_without = max(1.0, *(record.seconds_without / record.seconds_with for record in records))
        is_clear = max(loss_with, loss_without) >= CLEAR * min(loss_with, loss_without)
        return loss_with < loss_without if is_clear else None
