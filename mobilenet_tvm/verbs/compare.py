"""A network through this project and through other engines, side by side on this machine."""

from __future__ import annotations

import csv as csv_format
import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta

import targets as target_presets
from mobilenet_tvm import engines
from mobilenet_tvm.base.document import Count, Document, Sha256
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.base.paths import cache_dir, package_folder, replacing, sha256_tree
from mobilenet_tvm.base.requests import CompareRequest, CompileOptions
from mobilenet_tvm.engines.engine import Engine
from mobilenet_tvm.engines.process import require
from mobilenet_tvm.engines.rounds import TURN_S, EngineTime, Entry, Ratio, compare_with
from mobilenet_tvm.engines.tvm_package import TvmPackage
from mobilenet_tvm.model.coverage import log_folders, records_of
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.places.conditions import MeasuredUnder, busy_warning, conditions, versions
from mobilenet_tvm.verbs.compile import build_package, check_dtype, read_shapes
from mobilenet_tvm.verbs.options import options_of
from mobilenet_tvm.verbs.quantised import check_calibration, in_dtype, keep
from targets import Target

_COLUMNS = ("engine", "version", "target", "dtype", "threads", "median_ms", "min_ms", "p90_ms", "max_abs_err")


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
        "shape": source.shapes,
        "outputs": source.outputs,
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
    check_calibration(request, dtype)
    if request.rounds < 1 or not request.threads:
        raise UserError("--rounds and --threads take positive numbers")
    peers = _chosen_peers(request.against, request.threads)
    results: list[EngineTime] = []
    ratios: list[Ratio] = []
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        found = find_model(
            request.model, request.weights, read_shapes(request.shape), on_event, Path(scratch), request.outputs
        )
        source = in_dtype(found, request, dtype)
        packages = _compiled(request, targets, source)
        before = conditions()
        if text := busy_warning(before):
            warning(on_event, text)
        for count in request.threads:
            ours = [Entry(TvmPackage, packages[t.name, count], t.name, str(TvmPackage.version())) for t in targets]
            theirs = [Entry(peer, source.onnx, None, str(peer.version())) for peer in peers]
            more_results, more_ratios = compare_with(ours, theirs, dtype, count, request.rounds, on_event)
            results += more_results
            ratios += more_ratios
        keep(source, request)
    installed = versions(TvmPackage.distribution, *(peer.distribution for peer in peers))
    compared = Compared(
        model=source.name,
        weights=source.weights,
        onnx_sha256=source.onnx_sha256,
        conditions=ComparedUnder(**before, rounds=request.rounds, turn_seconds=TURN_S, versions=installed),
        results=tuple(results),
        ratios=tuple(ratios),
    )
    if request.csv is not None:
        _write_csv(Path(request.csv), compared)
    return compared
