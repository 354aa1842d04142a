"""Engines side by side on this machine: their turns, interleaved, and what follows from the times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.compiled import Dtype
from mobilenet_tvm.base.document import Count, Document, Factor
from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.events import OnEvent, progress
from mobilenet_tvm.engines.engine import Engine
from mobilenet_tvm.engines.process import EngineProcess
from mobilenet_tvm.package.manifest import read_manifest
from mobilenet_tvm.package.open import REFERENCE
from mobilenet_tvm.package.reference import read_reference

if TYPE_CHECKING:
    import numpy as np

TURN_S = 0.2  # how long an engine runs before the next one has its turn
_TURN_MINIMUM = 5  # inferences
_REST_S = 0.02  # between turns
_SPIN_S = 0.3  # with several threads: workers that still spin after an inference slow the next engine down (4x seen)


class EngineTime(Document):
    """How long an engine takes for one inference.

    :ivar target: null for the engines compared with.
    :ivar median_ms: of all inferences.
    :ivar min_ms: fastest.
    :ivar p90_ms: 90th percentile.
    :ivar max_abs_err: against ONNX Runtime with one thread.
    """

    engine: str
    version: str
    target: str | None
    dtype: Dtype
    threads: Count
    median_ms: Factor
    min_ms: Factor
    p90_ms: Factor
    runs: Count
    measured: bool
    max_abs_err: float


class Ratio(Document):
    """Our time as a multiple of theirs, round by round: what disturbs a round disturbs both.

    :ivar median: of the rounds' ratios, our time over theirs: below 1 we are faster.
    """

    engine: str
    target: str | None
    against: str
    threads: Count
    median: Factor
    p10: float
    p90: float


@dataclass
class Entry:
    """One engine with its model, and the times of its turns (nanoseconds)."""

    adapter: type[Engine]
    model: Path
    target: str | None
    version: str
    process: EngineProcess | None = None
    max_abs_err: float = 0.0
    turns: list[list[int]] = field(default_factory=list)

    def result(self, dtype: str, threads: int) -> EngineTime:
        times = sorted(ns / 1e6 for turn in self.turns for ns in turn)
        return EngineTime(
            engine=self.adapter.name,
            version=self.version,
            target=self.target,
            dtype=self.adapter.computes_in(dtype),
            threads=threads,
            median_ms=statistics.median(times),
            min_ms=times[0],
            p90_ms=times[int(0.9 * (len(times) - 1))],
            runs=len(times),
            measured=True,
            max_abs_err=self.max_abs_err,
        )


def _check_outputs(entry: Entry, reference: Path, tolerance: float) -> None:
    """Before its time counts, an engine must have the right numbers.

    :param tolerance: the largest error that is right, as a share of an output's range.
    :raises SystemFailure: it has not.
    """
    assert entry.process is not None
    expected = [pair.outputs for pair in read_reference(reference)]
    for wanted, actual in zip(
        zip(*expected, strict=True), zip(*entry.process.outputs(reference), strict=True), strict=True
    ):
        error, scale = _error(actual, wanted)
        entry.max_abs_err = max(entry.max_abs_err, error)
        if not error <= tolerance * scale:
            name = f"{entry.adapter.name} {entry.target or ''}".strip()
            raise SystemFailure(
                f"{name} computes something else: it is off by {error / (scale or 1):.2g} of the output's range"
            )


def _error(actual: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> tuple[float, float]:
    """The largest error of one output over all pairs, and its scale.

    Where engines round differently another index may win: whole numbers are compared by those who verify packages.
    """
    import numpy as np

    if any(a.shape != b.shape for a, b in zip(actual, wanted, strict=True)):
        return float("inf"), 1.0
    if wanted[0].dtype.kind != "f":
        return 0.0, 0.0
    ours, theirs = (np.stack([np.asarray(array, np.float64) for array in arrays]) for arrays in (actual, wanted))
    finite = np.isfinite(theirs)
    if not finite.any():
        return 0.0, 0.0
    known = theirs[finite]
    return float(np.abs(ours[finite] - known).max()), float(max(np.ptp(known), np.abs(known).max() / 10))


def _measure(entries: list[Entry], reference: Path, rounds: int, threads: int, on_event: OnEvent) -> None:
    """Rounds of turns, A B C then C B A; whoever has no turn sleeps, so the machine is one engine's at a time."""
    for entry in entries:
        assert entry.process is not None
        entry.process.time(reference, TURN_S, _TURN_MINIMUM)  # warm: caches, clock, thread pools
    for number in range(rounds):
        progress(on_event, "compare", number, rounds, f"{threads} thread(s), round {number + 1}")
        for entry in entries if number % 2 == 0 else reversed(entries):
            assert entry.process is not None
            time.sleep(_REST_S if threads == 1 else _SPIN_S)
            entry.turns.append(entry.process.time(reference, TURN_S, _TURN_MINIMUM))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours."""
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def _ratio(entry: Entry, peer: Entry, threads: int) -> Ratio:
    ratios = sorted(
        statistics.median(ours) / statistics.median(theirs)
        for ours, theirs in zip(entry.turns, peer.turns, strict=True)
    )
    return Ratio(
        engine=entry.adapter.name,
        target=entry.target,
        against=peer.adapter.name,
        threads=threads,
        median=statistics.median(ratios),
        p10=_quantile(ratios, 0.1),
        p90=_quantile(ratios, 0.9),
    )


def compare_with(
    ours: list[Entry], theirs: list[Entry], dtype: str, threads: int, rounds: int, on_event: OnEvent
) -> tuple[list[EngineTime], list[Ratio]]:
    """Results and ratios for one thread count."""
    package = ours[0].model
    reference, tolerance = package / REFERENCE, read_manifest(package, str(package)).tolerance
    entries = [*ours, *theirs]
    with ExitStack() as stack:
        for entry in entries:
            entry.process = stack.enter_context(EngineProcess(entry.adapter, entry.model, threads, dtype))
            _check_outputs(entry, reference, tolerance)
        _measure(entries, reference, rounds, threads, on_event)
    results = [entry.result(dtype, threads) for entry in entries]
    return results, [_ratio(entry, peer, threads) for entry in ours for peer in theirs]
