"""Images or tensors through a package: the most likely classes of each, or all that the network puts out."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.package import tensors
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.answers import Classified, ClassifyAnswer
from mobilenet_tvm.places.place import Place, Where, place_of
from mobilenet_tvm.places.runner import classify

_Answered: TypeAlias = tuple[ClassifyAnswer, list[str]]
_ROW = re.compile(r"\[(\d+)\]$")


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
    images: Sequence[str | Path] = (),
    *,
    inputs: Mapping[str, Any] | Sequence[str] = (),
    save: str | Path | None = None,
    threads: int | None = None,
    top: int = 5,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> ImagesClassified:
    """Run images (PNG, JPEG, PPM) or tensors through the package's own runner.

    :param images: also a ``.npy`` with the network's only input as it is, of its dtype and shape, or a ``.npz`` that
        has each input under its name.
    :param inputs: instead of images, by the input's name a ``.npy`` file or an array; or texts ``NAME=FILE.npy``.
    :param save: a folder for all outputs, NAME.npy each; of several images in folders 0, 1, ... of it.
    :param threads: how many threads to run with; by default as many as the package was scheduled for.
    :param emulate: let QEMU run it, as the CPU that it was compiled for.
    :param device: let a board run it, ``tracker://HOST:PORT/KEY``.
    :returns: ``schemas/run.json``.
    :raises UserError: an image does not decode, an input is missing, unknown or of another dtype or shape, the package
        is damaged or not for this CPU, or there is no emulator or no such board.
    """
    if bool(images) == bool(inputs):
        raise UserError("no image given" if not images else "images or --input, not both")
    for image in images:
        if not Path(image).is_file():
            raise UserError(f"no image {image}")
    options = ["--top", str(top), *(() if threads is None else ("--threads", str(threads)))]
    options += ["--data"] if save is not None else []
    with open_package(package) as opened:
        place = place_of(opened, emulate=emulate, device=device, on_event=on_event)
        if images:
            answer, names = classify(place, [Path(image) for image in images], options), list(map(str, images))
        else:
            answer, names = _run_tensors(place, inputs, options)
    results = _named(answer.results, names)
    if save is not None:
        results = _saved(results, Path(save), len(names))
    if place.where == "emulated":  # an emulator's time is no time of the device's
        results = [replace(result, latency_ms=UNSET) for result in results]
    shown = {"package": str(package), "where": place.where, "device": place.device}
    return ImagesClassified(**{**answer, **shown, "results": tuple(results)})


def _run_tensors(place: Place, inputs: Mapping[str, Any] | Sequence[str], options: list[str]) -> _Answered:
    wanted = place.package.manifest.inputs
    given = inputs if isinstance(inputs, Mapping) else tensors.parse_inputs(inputs, wanted)
    name = ", ".join(f"{key}={value}" if isinstance(value, str | Path) else key for key, value in given.items())
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        file = Path(temporary) / "inputs.npz"
        tensors.write_inputs(file, given, wanted)
        return classify(place, [file], options), [name]


def _named(results: Sequence[Classified], names: Sequence[str]) -> list[Classified]:
    """The results with what the user called their inputs; a batch's rows, FILE[0], FILE[1], ..., have one file."""
    named: list[Classified] = []
    file = -1
    for result in results:
        row = _ROW.search(result.image)
        file += 0 if row is not None and row[1] != "0" and file >= 0 and len(results) != len(names) else 1
        suffix = row[0] if row is not None and len(results) != len(names) else ""
        named.append(replace(result, image=names[file] + suffix))
    return named


def _saved(results: Sequence[Classified], folder: Path, inputs: int) -> list[Classified]:
    """The results without the outputs' bytes, which are written into the folder."""
    number, kept = 0, []
    for result in results:
        outputs = result.outputs or ()
        for output in outputs:
            array = tensors.decoded(output.data or "", output.dtype, output.shape)
            tensors.save((folder if inputs == 1 else folder / str(number)) / output.file, array)
        number += bool(outputs)
        kept.append(replace(result, outputs=tuple(replace(output, data=UNSET) for output in outputs)))
    return kept
