"""Images through a package: the most likely classes of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.answers import ClassifyAnswer
from mobilenet_tvm.places.place import Where, place_of
from mobilenet_tvm.places.runner import classify


class ImagesClassified(ClassifyAnswer):
    """What ``run`` returns.

    :ivar where: where it ran; an emulator's time is not told.
    :ivar device: the board that ran it, as tracker://HOST:PORT/KEY.
    """

    package: str
    where: Where
    device: str | None


def run(
    package: str | Path,
    images: Sequence[str | Path],
    *,
    threads: int | None = None,
    top: int = 5,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> ImagesClassified:
    """Classify images (PNG, JPEG, PPM, or a ``.npy`` float32 input tensor) with the package's own runner.

    :param threads: how many threads to run with; by default as many as the package was scheduled for.
    :param emulate: let QEMU run it, as the CPU that it was compiled for.
    :param device: let a board run it, ``tracker://HOST:PORT/KEY``.
    :returns: ``schemas/run.json``.
    :raises UserError: an image does not decode, the package is damaged or not for this CPU, or there is no emulator or
        no such board.
    """
    if not images:
        raise UserError("no image given")
    for image in images:
        if not Path(image).is_file():
            raise UserError(f"no image {image}")
    options = ["--top", str(top)] if threads is None else ["--top", str(top), "--threads", str(threads)]
    with open_package(package) as opened:
        place = place_of(opened, emulate=emulate, device=device, on_event=on_event)
        answer = classify(place, [Path(image) for image in images], options)
    results = [replace(result, image=str(image)) for result, image in zip(answer.results, images, strict=True)]
    if place.where == "emulated":  # an emulator's time is no time of the device's
        results = [replace(result, latency_ms=UNSET) for result in results]
    shown = {"package": str(package), "where": place.where, "device": place.device}
    return ImagesClassified(**{**answer, **shown, "results": tuple(results)})
