"""Search for faster schedules of a network's layers, on this machine, on boards, or by the static model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import targets
from mobilenet_tvm.base.answers import TuningResult
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Dtype
from mobilenet_tvm.base.document import Count
from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.events import OnEvent, progress, warning
from mobilenet_tvm.base.host_cpu import host_arch
from mobilenet_tvm.base.jobs import PIPELINE, NetworkFile, TuneJob
from mobilenet_tvm.base.paths import cache_dir, user_logs_dir
from mobilenet_tvm.base.requests import CLOCK, MEASURES, Model, TuneOptions, TuneRequest
from mobilenet_tvm.base.tracker import Device
from mobilenet_tvm.model import zoo
from mobilenet_tvm.model.coverage import log_folders
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.places.board import device_named
from mobilenet_tvm.places.conditions import busy_cores
from mobilenet_tvm.verbs.compile import check_dtype, check_threads, read_shapes
from mobilenet_tvm.verbs.options import options_of
from mobilenet_tvm.verbs.quantised import for_tuning
from targets import Target

ZOO = "zoo"
"""In place of a model: all of the zoo."""
WORK = ".work"  # beside the logs in --logs DIR: the databases that they are derived from


def database_folder(logs: str | Path | None, target: str, dtype: str, measure: str = CLOCK) -> Path:
    """Where MetaSchedule keeps every finished trial: those of a clock, of the model and of boards apart."""
    root = cache_dir() / "tuning" if logs is None else Path(logs).absolute() / WORK
    return root / target / (dtype if measure == CLOCK else f"{dtype}-{measure}")


def _check_measurable(target: Target) -> None:
    """Raises UserError where no clock of this machine's can time the target's kernels."""
    others = "--device names its machine, --measure model does without"
    if target.gpu is not None:
        raise UserError(f"target {target.name} is a GPU, which is measured over RPC: {others}")
    if missing := target.missing_here():
        without = (
            "; --device names boards, --measure model does without"
            if target.emulator and target.arch != host_arch()
            else ""
        )
        lacking = ", ".join(missing)
        raise UserError(f"target {target.name} cannot be measured here: this machine lacks {lacking}{without}")


class Tuned(TuningResult):
    """What ``tune`` returns."""

    model: str
    target: str
    dtype: Dtype
    threads: Count


def _board(request: TuneRequest, target: Target) -> Device | None:
    """The boards that are to measure; None where this machine does, or a model.

    :raises UserError: the request contradicts itself, or nothing can measure the target.
    """
    if request.measure not in MEASURES:
        raise unknown("--measure", request.measure, MEASURES)
    if request.device is not None and request.measure != CLOCK:
        raise UserError("--measure model asks no board, --device does: one of them")
    if request.device is not None:
        return device_named(request.device, request.on_event)
    if request.measure == CLOCK:
        _check_measurable(target)
    return None


def _warn_if_busy(on_event: OnEvent) -> None:
    busy = busy_cores()
    if busy is not None and busy > 1:
        warning(on_event, f"other programs keep {busy:.1f} of this machine's cores busy: trials will be unreliable")


def _models(request: TuneRequest) -> list[Model]:
    """The models that a request names."""
    if request.model == ZOO or request.model == [ZOO]:
        names = [model.name for model in zoo.models(None, request.on_event)]
        return sorted(names, key=lambda name: name.split("_")[1])  # V1, V2, V3, V4
    return list(request.model) if isinstance(request.model, (list, tuple)) else [request.model]


def _sources(request: TuneRequest, dtype: str, shapes: dict[str, list[int]], scratch: Path) -> list[ModelSource]:
    """Their ONNX files, those that have to be made in folders of their own below ``scratch``.

    :raises UserError: one of them is no model.
    """
    models = _models(request)
    if len(models) > 1 and (request.outputs or shapes):
        raise UserError("--outputs and --shape are for one network: name one, or leave them away")
    sources = []
    for number, model in enumerate(models):
        progress(request.on_event, "models", number, len(models), str(model))
        folder = scratch / str(number)
        folder.mkdir()
        source = find_model(model, request.weights, shapes, request.on_event, folder, request.outputs)
        sources.append(for_tuning(source, dtype, request.on_event))
    return sources


@options_of(TuneRequest)
def tune(request: TuneRequest) -> Tuned:
    """Tune a network's layers, and write the best schedules into logs that ``compile`` then uses.

    A second run goes on from the first, and a kill loses no finished trial. Ctrl-C ends it early, with a result. Layers
    that the logs know already are searched further only where ``trials`` or ``seconds`` ask for it. ``on_event`` is
    told every trial, durable or lost with its board.

    :returns: ``schemas/tune.json``.
    :raises UserError: a name is unknown, this CPU cannot run the target, what the model needs is not installed, or
        there is no such board, or none any more.
    """
    target, dtype, on_event = targets.load(request.target), request.dtype, request.on_event
    check_dtype(dtype, target)
    threads = target.threads if request.threads is None else request.threads
    check_threads(threads)
    if (request.trials is not None and request.trials < 1) or (request.seconds is not None and request.seconds <= 0):
        raise UserError("--trials and --seconds take positive numbers")
    board = _board(request, target)
    shapes = read_shapes(request.shape)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        sources = _sources(request, dtype, shapes, Path(scratch))
        if request.measure == CLOCK and board is None:
            _warn_if_busy(on_event)
        job = TuneJob(
            networks=tuple(NetworkFile(name=one.name, onnx=one.onnx, shape=one.shapes) for one in sources),
            target=target,
            threads=threads,
            device=str(board) if board is not None else None,
            logs=user_logs_dir() if request.logs is None else Path(request.logs).absolute(),
            known_logs=tuple(log_folders(request.logs)),
            database=database_folder(request.logs, target.name, dtype, board.key if board else request.measure),
            options=TuneOptions.of(request),
        )
        result = run_child(PIPELINE, job, TuningResult, on_event, block=("torch",))
    names = ", ".join(source.name for source in sources)
    return Tuned(model=names, target=target.name, dtype=dtype, threads=threads, **result)
