"""What a package's own program answers, wherever it runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from msgspec import ValidationError

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.places.answers import Answer, ClassifyAnswer, SelfTest, SelfTestAnswer
from mobilenet_tvm.places.place import Place

AnswerT = TypeVar("AnswerT", bound=Answer)

EMULATED_GPU_SAYS = "emulated GPU: "
_WITHOUT_STB = "was built without PNG and JPEG"
"""What a program says of an image if it can decode none but PPM."""
_STB_READS = frozenset({".png", ".jpg", ".jpeg"})


def run_package(place: Place, words: Sequence[str], kind: type[AnswerT]) -> AnswerT:
    """What ``mobilenet-run PACKAGE WORDS... --json`` prints there.

    :param kind: the answer's type.
    :raises UserError: it says that the user made a mistake, or there is no such board any more.
    :raises SystemFailure: it fails otherwise, or the board broke off.
    """
    code, output, errors = place.start([*words, "--json"])
    values = None
    with suppress(ValueError):  # a program that failed before it could answer
        values = json.loads(output)
    if values is not None and (code == 0 or "self_test" in values):
        try:
            return kind.from_json(values)
        except ValidationError as error:
            message = f"{place.package.shown}: this version does not understand what its program answers: {error}"
            raise SystemFailure(message) from error
    lines = errors.strip().splitlines()
    lines = [line for line in lines if line.startswith(EMULATED_GPU_SAYS)] or lines  # what it says, it says first
    message = lines[-1].removeprefix("mobilenet-run: ") if lines else f"mobilenet-run ended with {code}"
    if code == 2:
        raise UserError(message)
    raise SystemFailure(message, errors)


def classify(place: Place, images: Sequence[Path], words: Sequence[str] = ()) -> ClassifyAnswer:
    """The most likely classes of images; what the package's program cannot decode itself, Pillow decodes.

    :raises UserError: an image does not decode, or the package does not say how images become its input.
    """
    try:
        return _classify(place, images, words, place.reads)
    except UserError as error:  # to ask the program beforehand would start it twice, every time
        if _WITHOUT_STB not in str(error):
            raise
    return _classify(place, images, words, place.reads - _STB_READS)


def _classify(place: Place, images: Sequence[Path], words: Sequence[str], reads: frozenset[str]) -> ClassifyAnswer:
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        files = [
            image.absolute()
            if image.suffix.lower() in reads
            else _tensor(place, image, Path(temporary) / f"{number}.npy")
            for number, image in enumerate(images)
        ]
        return run_package(place, [*map(str, files), *words], ClassifyAnswer)


def _tensor(place: Place, image: Path, file: Path) -> Path:
    """An image as the network's input, written into ``file``."""
    import numpy as np

    from mobilenet_tvm.model.preprocessing import preprocess

    package = place.package
    if package.manifest.preprocessing is None:
        raise UserError(f"{package.shown} does not say how images become its input: give it a .npy file")
    np.save(file, preprocess(image, package.manifest.preprocessing))
    return file


def self_test(place: Place) -> SelfTest:
    """How far the package is from the reference that it carries."""
    return run_package(place, ["--self-test"], SelfTestAnswer).self_test
