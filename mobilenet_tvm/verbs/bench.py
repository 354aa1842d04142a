"""How long a package takes for one inference, on this machine or on a board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, progress, warn_only, warning
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.conditions import busy_warning, versions
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.runner import run_package

REPEAT = 100
_NO_EMULATOR = "bench does not emulate: an emulator's time says nothing about a board"


def bench(
    package: str | Path,
    *,
    threads: Sequence[int] | None = None,
    repeat: int = REPEAT,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
    """Time inferences of the package's first reference input, in its own runner.

    :param threads: thread counts to measure with; by default the one that the package was scheduled for.
    :param repeat: timed inferences per thread count.
    :param emulate: refused.
    :param device: time it on a board, ``tracker://HOST:PORT/KEY``; one that is an emulator is refused too.
    :returns: ``schemas/bench.json``; times in milliseconds.
    :raises UserError: the package is damaged or not for this CPU, an argument is no positive number, an emulator
        is to be timed, or there is no such board.
    """
    if emulate:
        raise UserError(f"{_NO_EMULATOR}; verify does")
    if repeat < 1 or any(count < 1 for count in threads or ()):
        raise UserError("--repeat and --threads take positive numbers")
    with open_package(package) as opened:
        place = place_of(opened, emulate=False, device=device, on_event=on_event)
        if place.where == "emulated":
            raise UserError(f"{_NO_EMULATOR}, and {device} is an emulator; verify takes it")
        found = place.conditions()
        if place.where == "host" and (text := busy_warning(found)):
            warning(on_event, text)
        results: list[dict[str, Any]] = []
        gpu = None
        counts = list(threads or [opened.manifest.threads])
        for done, count in enumerate(counts):
            progress(on_event, "bench", done, len(counts), f"{count} threads")
            answer = run_package(place, ["--repeat", str(repeat), "--threads", str(count)])
            times, gpu = answer["bench"], answer.get("gpu")
            results.append({"threads": count, **{key: times[key] for key in ("min_ms", "median_ms", "p90_ms", "runs")}})
        manifest = opened.manifest
    return {
        "package": str(package),
        "model": manifest.model["name"],
        "dtype": manifest.dtype,
        "target": manifest.target["name"],
        "where": place.where,
        "device": place.device,
        "gpu": gpu,
        "conditions": {**found, "versions": {**versions(), **manifest.versions}},
        "results": results,
    }
