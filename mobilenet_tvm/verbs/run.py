"""Images through a package: the most likely classes of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.runner import classify


def run(
    package: str | Path,
    images: Sequence[str | Path],
    *,
    threads: int | None = None,
    top: int = 5,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> dict[str, Any]:
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
    results = [{**result, "image": str(image)} for result, image in zip(answer["results"], images, strict=True)]
    if place.where == "emulated":  # an emulator's time is no time of the device's
        results = [{key: value for key, value in result.items() if key != "latency_ms"} for result in results]
    return {**answer, "package": str(package), "where": place.where, "device": place.device, "results": results}
