"""Search for faster schedules of a network's layers, on this machine, on boards, or by the static model."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import targets
from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError, unknown
from mobilenet_tvm.base.events import OnEvent, warn_only, warning
from mobilenet_tvm.base.host_cpu import host_arch
from mobilenet_tvm.base.paths import cache_dir, user_logs_dir
from mobilenet_tvm.model.coverage import as_strings, log_folders
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.places.board import device_named
from mobilenet_tvm.places.conditions import busy_cores
from mobilenet_tvm.verbs.compile import PIPELINE, check_dtype, check_threads, read_shapes
from targets import Target

MEASURES = CLOCK, MODEL = "clock", "model"
"""What tells how long a candidate takes: this machine's clock, or the static model of an ARM core or a GPU."""

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


def tune(
    model: str,
    target: str = targets.target.NATIVE,
    *,
    trials: int | None = None,
    seconds: float | None = None,
    threads: int | None = None,
    weights: str | None = None,
    dtype: str = "float32",
    shape: Mapping[str, Sequence[int]] | Sequence[str] | None = None,
    measure: str = CLOCK,
    device: str | None = None,
    logs: str | Path | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Tune a network's layers, and write the best schedules into logs that ``compile`` then uses.

    A second run goes on from the first, and a kill loses no finished trial. Ctrl-C ends it early, with a result. Layers
    that the logs know already are searched further only where ``trials`` or ``seconds`` ask for it.

    :param trials: at most so many trials in this run.
    :param seconds: at most so much time.
    :param measure: ``clock``, or ``model``: nothing is measured, a static model says what a candidate would take on the
        target's ARM core or GPU, and the records say "modelled".
    :param device: build here, measure on all free boards of ``tracker://HOST:PORT/KEY``. A board that is an emulator is
        for trying this out: nothing is written into logs then.
    :param logs: the folder to write logs to; by default the user's own, which ``compile`` consults first.
    :param on_event: is told every trial, durable or lost with its board: ``{"event": "trial", "trial", "layer",
        "seconds", "error", "best"}``.
    :returns: ``schemas/tune.json``.
    :raises UserError: a name is unknown, this CPU cannot run the target, what the model needs is not installed, or
        there is no such board, or none any more.
    """
    chosen = targets.load(target)
    check_dtype(dtype, chosen)
    threads = chosen.threads if threads is None else threads
    check_threads(threads)
    if (trials is not None and trials < 1) or (seconds is not None and seconds <= 0):
        raise UserError("--trials and --seconds take positive numbers")
    if measure not in MEASURES:
        raise unknown("--measure", measure, MEASURES)
    if device is not None and measure != CLOCK:
        raise UserError("--measure model asks no board, --device does: one of them")
    named = device_named(device, on_event) if device is not None else None
    if named is None and measure == CLOCK:
        _check_measurable(chosen)
    shapes = read_shapes(shape)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        source = find_model(model, weights, shapes, on_event, Path(scratch))
        busy = busy_cores() if measure == CLOCK and named is None else None
        if busy is not None and busy > 1:
            warning(on_event, f"other programs keep {busy:.1f} of this machine's cores busy: trials will be unreliable")
        request = {
            "verb": "tune",
            "onnx": str(source.onnx),
            "target": chosen.to_json(),
            "threads": threads,
            "dtype": dtype,
            "measure": measure,
            "device": str(named) if named is not None else None,
            "shape": {source.input.name: list(source.input.shape)},
            "logs": str(user_logs_dir() if logs is None else Path(logs).absolute()),
            "known_logs": as_strings(log_folders(logs)),
            "trials": trials,
            "seconds": seconds,
            "database": str(database_folder(logs, chosen.name, dtype, named.key if named is not None else measure)),
        }
        result = run_child(PIPELINE, request, on_event, block=("torch",))
    return {"model": source.name, "target": chosen.name, "dtype": dtype, "threads": threads, **result}
