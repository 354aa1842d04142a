"""How long a package takes for one inference, on this machine or on a board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from mobilenet_tvm.base.document import Count
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, progress, warn_only
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.answers import BenchAnswer, GpuAtWork, Times
from mobilenet_tvm.places.conditions import MeasuredUnder
from mobilenet_tvm.places.place import Ran, measured_under, place_of
from mobilenet_tvm.places.runner import run_package

REPEAT = 100
_NO_EMULATOR = "bench does not emulate: an emulator's time says nothing about a board"


class ThreadTimes(Times):
    """Milliseconds of one inference with so many threads."""

    threads: Count


class Benched(Ran):
    """What ``bench`` returns.

    :ivar gpu: the GPU that ran it; null for a CPU's package.
    """

    gpu: GpuAtWork | None
    conditions: MeasuredUnder
    results: Annotated[tuple[ThreadTimes, ...], Meta(min_length=1)]


def bench(
    package: str | Path,
    *,
    threads: Sequence[int] | None = None,
    repeat: int = REPEAT,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> Benched:
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
        conditions = measured_under(place, on_event)
        counts = tuple(threads or [opened.manifest.threads])
        answers = []
        for done, count in enumerate(counts):
            progress(on_event, "bench", done, len(counts), f"{count} threads")
            answers.append(run_package(place, ["--repeat", str(repeat), "--threads", str(count)], BenchAnswer))
    return Benched(
        **Ran.at(place, package),
        gpu=answers[-1].gpu or None,
        conditions=conditions,
        results=tuple(
            ThreadTimes(threads=count, **answer.bench) for count, answer in zip(counts, answers, strict=True)
        ),
    )
