"""A network through this project and through other engines, side by side on this machine."""

from __future__ import annotations

import csv as csv_format
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta

import targets as target_presets
from mobilenet_tvm import engines
from mobilenet_tvm.base.compiled import Dtype
from mobilenet_tvm.base.document import Count, Document, Factor, Sha256
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import OnEvent, progress, warning
from mobilenet_tvm.base.paths import cache_dir, package_folder, replacing, sha256_tree
from mobilenet_tvm.base.requests import CompareRequest, CompileOptions
from mobilenet_tvm.engines.engine import Engine
from mobilenet_tvm.engines.process import EngineProcess, require
from mobilenet_tvm.engines.tvm_package import TvmPackage
from mobilenet_tvm.model.coverage import log_folders, records_of
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.package.open import REFERENCE
from mobilenet_tvm.package.reference import TOLERANCE, read_reference
from mobilenet_tvm.places.conditions import MeasuredUnder, busy_warning, conditions, versions
from mobilenet_tvm.verbs.compile import build_package, check_dtype, read_shapes
from mobilenet_tvm.verbs.options import options_of
from targets import Target

_TURN_S = 0.2  # how long an engine runs before the next one has its turn
_TURN_MINIMUM = 5  # inferences
_REST_S = 0.02  # between turns
_SPIN_S = 0.3  # with several threads: workers that still spin after an inference slow the next engine down (4x seen)
_COLUMNS = ("engine", "version", "target", "dtype", "threads", "median_ms", "min_ms", "p90_ms", "max_abs_err")


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


class ComparedUnder(MeasuredUnder):
    """The conditions of a comparison."""

    rounds: Count
    turn_seconds: float


class Compared(Document):
    """What ``compare`` returns."""

    model: str
    weights: str
    onnx_sha256: Sha256
    conditions: ComparedUnder
    results: Annotated[tuple[EngineTime, ...], Meta(min_length=1)]
    ratios: tuple[Ratio, ...]


@dataclass
class _Entry:
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
            dtype=dtype,
            threads=threads,
            median_ms=statistics.median(times),
            min_ms=times[0],
            p90_ms=times[int(0.9 * (len(times) - 1))],
            runs=len(times),
            measured=True,
            max_abs_err=self.max_abs_err,
        )


def _logs_hash(folders: Sequence[Path], target: Target) -> str:
    found = [sha256_tree(folder / name, ("*.jsonl",)) for folder in folders for name in target.logs]
    return hashlib.sha256(" ".join(found).encode()).hexdigest()


def _scheduled_for(target: Target, dtype: str, threads: int, folders: Sequence[Path]) -> int:
    """The thread count to compile for: where the logs know one alone, every count gets the same schedules."""
    known = {record.threads for name in target.logs for record in records_of(folders, name).get(dtype, [])}
    return threads if len(known) > 1 else next(iter(known), 1)


def _cached_package(
    source: ModelSource, target: Target, dtype: str, threads: int, folders: Sequence[Path], on_event: OnEvent
) -> Path:
    """The network compiled for a target, out of the cache if nothing that matters has changed."""
    from filelock import FileLock

    facts = {
        "onnx": source.onnx_sha256,
        "shape": source.input.shape,
        "target": target.to_json(),
        "dtype": dtype,
        "threads": threads,
        "logs": _logs_hash(folders, target),
        "pipeline": sha256_tree(package_folder("tvm_pipeline"), ("*.py",)),
        "versions": versions("apache-tvm", "apache-tvm-ffi"),
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
    path = cache_dir() / "packages" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not path.is_dir():
            build_package(source, target, threads, folders, path, CompileOptions(dtype=dtype), on_event=on_event)
    return path


def _check_outputs(entry: _Entry, reference: Path) -> None:
    """Before its time counts, an engine must have the right numbers.

    :raises SystemFailure: it has not.
    """
    import numpy as np

    assert entry.process is not None
    _, expected = read_reference(reference)
    found = entry.process.outputs(reference)
    entry.max_abs_err = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    scale = max(float(np.ptp(b)) for b in expected)
    if not entry.max_abs_err <= TOLERANCE * scale:
        name = f"{entry.adapter.name} {entry.target or ''}".strip()
        raise SystemFailure(
            f"{name} computes something else: it is off by {entry.max_abs_err / scale:.2g} of the output's range"
        )


def _measure(entries: list[_Entry], reference: Path, rounds: int, threads: int, on_event: OnEvent) -> None:
    """Rounds of turns, A B C then C B A; whoever has no turn sleeps, so the machine is one engine's at a time."""
    for entry in entries:
        assert entry.process is not None
        entry.process.time(reference, _TURN_S, _TURN_MINIMUM)  # warm: caches, clock, thread pools
    for number in range(rounds):
        progress(on_event, "compare", number, rounds, f"{threads} thread(s), round {number + 1}")
        for entry in entries if number % 2 == 0 else reversed(entries):
            assert entry.process is not None
            time.sleep(_REST_S if threads == 1 else _SPIN_S)
            entry.turns.append(entry.process.time(reference, _TURN_S, _TURN_MINIMUM))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours."""
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def _ratio(entry: _Entry, peer: _Entry, threads: int) -> Ratio:
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


def _compare_with(
    ours: list[_Entry], theirs: list[_Entry], dtype: str, threads: int, rounds: int, on_event: OnEvent
) -> tuple[list[EngineTime], list[Ratio]]:
    """Results and ratios for one thread count."""
    reference = ours[0].model / REFERENCE
    entries = [*ours, *theirs]
    with ExitStack() as stack:
        for entry in entries:
            entry.process = stack.enter_context(EngineProcess(entry.adapter, entry.model, threads, dtype))
            _check_outputs(entry, reference)
        _measure(entries, reference, rounds, threads, on_event)
    results = [entry.result(dtype, threads) for entry in entries]
    return results, [_ratio(entry, peer, threads) for entry in ours for peer in theirs]


def _write_csv(path: Path, compared: Compared) -> None:
    """One row per result, its conditions beside it."""
    conditions = {key: compared.conditions[key] for key in ("cpu", "governor", "busy_cores", "date", "rounds")}
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv_format.DictWriter(stream, ["model", *_COLUMNS, *conditions])
        writer.writeheader()
        for result in compared.results:
            writer.writerow({"model": compared.model, **{key: result[key] for key in _COLUMNS}, **conditions})


def _chosen_targets(names: Sequence[str]) -> list[Target]:
    chosen = list({target.name: target for target in map(target_presets.load, names)}.values())
    for target in chosen:
        if missing := target.missing_here():
            raise UserError(f"target {target.name} cannot be measured here: this machine lacks {', '.join(missing)}")
    if not chosen:
        raise UserError("no target given")
    return chosen


def _chosen_peers(names: Sequence[str], threads: Sequence[int]) -> list[type[Engine]]:
    peers = [engines.find(name) for name in dict.fromkeys(names)]
    if TvmPackage in peers:
        raise UserError("tvm is what the others are compared with: name other engines, such as onnxruntime")
    require(TvmPackage, max(threads))
    for peer in peers:
        require(peer, max(threads))
    return peers


def _compiled(request: CompareRequest, targets: Sequence[Target], source: ModelSource) -> dict[tuple[str, int], Path]:
    """The packages to time, by target and thread count."""
    folders, dtype = log_folders(request.logs), request.dtype
    return {
        (target.name, count): _cached_package(
            source, target, dtype, _scheduled_for(target, dtype, count, folders), folders, request.on_event
        )
        for target in targets
        for count in request.threads
    }


@options_of(CompareRequest)
def compare(request: CompareRequest) -> Compared:
    """Compile a network and time it beside other engines, in interleaved rounds, one process active at a time.

    :returns: ``schemas/compare.json``; ``ratios`` are our time over theirs, median and 10th and 90th percentile of the
        rounds' ratios, so less than 1 means that we are faster.
    :raises UserError: a name is unknown, an engine is not installed, the CPU cannot run a target.
    :raises SystemFailure: an engine computes something else than ONNX Runtime.
    """
    targets, dtype, on_event = _chosen_targets(request.targets), request.dtype, request.on_event
    for target in targets:
        check_dtype(dtype, target)
    if request.rounds < 1 or not request.threads:
        raise UserError("--rounds and --threads take positive numbers")
    peers = _chosen_peers(request.against, request.threads)
    results: list[EngineTime] = []
    ratios: list[Ratio] = []
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        source = find_model(request.model, request.weights, read_shapes(request.shape), on_event, Path(scratch))
        packages = _compiled(request, targets, source)
        before = conditions()
        if text := busy_warning(before):
            warning(on_event, text)
        for count in request.threads:
            ours = [_Entry(TvmPackage, packages[t.name, count], t.name, str(TvmPackage.version())) for t in targets]
            theirs = [_Entry(peer, source.onnx, None, str(peer.version())) for peer in peers]
            more_results, more_ratios = _compare_with(ours, theirs, dtype, count, request.rounds, on_event)
            results += more_results
            ratios += more_ratios
    installed = versions(TvmPackage.distribution, *(peer.distribution for peer in peers))
    compared = Compared(
        model=source.name,
        weights=source.weights,
        onnx_sha256=source.onnx_sha256,
        conditions=ComparedUnder(**before, rounds=request.rounds, turn_seconds=_TURN_S, versions=installed),
        results=tuple(results),
        ratios=tuple(ratios),
    )
    if request.csv is not None:
        _write_csv(Path(request.csv), compared)
    return compared
