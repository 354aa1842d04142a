"""Whether a package computes what it should."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mobilenet_tvm.base.document import UNSET, UnsetType
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only, warning
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.base.requests import Model
from mobilenet_tvm.check.accuracy.float_network import float_network
from mobilenet_tvm.check.accuracy.judge import Accuracy, LabelShares, answers, judge, shares
from mobilenet_tvm.check.accuracy.labelled import Labelled, read_labelled
from mobilenet_tvm.model.cut import cut_at
from mobilenet_tvm.model.quantise.cached import kept_file
from mobilenet_tvm.model.quantise.images import image_files
from mobilenet_tvm.model.source import ModelSource
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import Package, open_package
from mobilenet_tvm.package.quantisation import is_quantised
from mobilenet_tvm.package.reference import with_reference
from mobilenet_tvm.package.yardstick import make_pairs
from mobilenet_tvm.places.answers import SelfTest
from mobilenet_tvm.places.place import Place, Ran, place_of
from mobilenet_tvm.places.runner import classify, self_test

_FRESH_SEED = 1  # the package's own reference has seed 0
_IMAGES_PER_RUN = 64


class Verified(SelfTest, Ran):
    """What ``verify`` returns.

    :ivar tolerance: the largest ``relative_err`` that is right.
    :ivar scores_classes: whether the first output is ``[N, C]`` of float32 with more than five classes, or with names.
    :ivar labels: with labels, the package's share of right answers.
    :ivar accuracy: with images, what its precision costs.
    """

    scores_classes: bool
    against: Literal["reference", "onnxruntime"]
    tolerance: float
    labels: LabelShares | None
    accuracy: Accuracy | UnsetType = UNSET


def _scores_classes(manifest: Manifest) -> bool:
    output = manifest.outputs[0]
    is_row = output.dtype == "float32" and len(output.shape) == 2
    return is_row and (output.shape[1] > 5 or (output.shape[1] > 1 and bool(manifest.labels)))


@contextmanager
def _with_fresh_reference(package: Package, onnx: Path) -> Iterator[Package]:
    """The package with inputs that it has never carried, and what ONNX Runtime makes of them."""
    if not onnx.is_file():
        raise UserError(f"no file {onnx}")
    if sha256_file(onnx) != package.manifest.model.onnx_sha256:
        raise UserError(f"{package.shown} was not compiled from {onnx} (their SHA-256 differ)")
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        cut = cut_at(onnx, [tensor.name for tensor in package.manifest.outputs], Path(scratch))
        with with_reference(package, make_pairs(cut, package.manifest.inputs, seed=_FRESH_SEED)) as fresh:
            yield fresh


def _on_labels(place: Place, pairs: Labelled) -> LabelShares:
    """The shares of images whose class comes first, and is among the first five."""
    first = among = 0
    for begin in range(0, len(pairs), _IMAGES_PER_RUN):
        part = pairs[begin : begin + _IMAGES_PER_RUN]
        answer = classify(place, [image for image, _ in part], ["--top", "5"])
        for result, (_, class_id) in zip(answer.results, part, strict=True):
            ranked = [entry.class_id for entry in result.top]
            first += ranked[:1] == [class_id]
            among += class_id in ranked
    return LabelShares(images=len(pairs), top1=first / len(pairs), top5=among / len(pairs))


def _classes(manifest: Manifest) -> int:
    """How many classes the network tells apart.

    :raises UserError: its first output scores none.
    """
    if not _scores_classes(manifest):
        raise UserError(f"labels do not fit {manifest.model.name}: its first output scores no classes")
    return manifest.outputs[0].shape[1]


def _labelled(manifest: Manifest, labels: str | Path | None, images: Path | None) -> Labelled | None:
    if labels is None:
        return None
    return read_labelled(Path(labels), manifest.labels, _classes(manifest), images)


def _right_classes(images: list[Path], pairs: Labelled) -> list[int]:
    """The class of each image.

    :raises UserError: one has none.
    """
    known = {image.absolute(): class_id for image, class_id in pairs}
    for image in images:
        if image not in known:
            raise UserError(f"the labels have no class for {image.name}: they are for all of --images")
    return [known[image] for image in images]


@dataclass(frozen=True)
class _Judged:
    """What ``--images`` asks for.

    :ivar source: the float network.
    :ivar classes: the right class of each image, where there are labels.
    :ivar quantised: the file that the package was compiled from, where that is quantised and at hand.
    """

    source: ModelSource
    images: list[Path]
    classes: list[int] | None
    quantised: Path | None


def _to_judge(
    package: Package,
    images: Path,
    onnx: Path | None,
    float_model: Model | None,
    pairs: Labelled | None,
    on_event: OnEvent,
) -> _Judged:
    files = image_files(images)
    quantised = onnx or kept_file(package.manifest.model.onnx_sha256)
    if quantised is None and package.manifest.dtype == "int8":
        warning(on_event, "layers are not judged: --onnx FILE, the quantised file, is what shows them")
    return _Judged(
        source=float_network(package, float_model, onnx, on_event),
        images=files,
        classes=_right_classes(files, pairs) if pairs is not None else None,
        quantised=quantised if quantised is not None and is_quantised(quantised) else None,
    )


def _accuracy(place: Place, asked: _Judged, on_event: OnEvent) -> tuple[Accuracy, LabelShares | None]:
    """What the package's precision costs on the images, and how many it gets right."""
    both = answers(place, asked.source, asked.images, on_event)
    scores = _scores_classes(place.package.manifest)
    accuracy = judge(both, asked.source, asked.images, classes=asked.classes, scores=scores, quantised=asked.quantised)
    return accuracy, shares(both.made, asked.classes) if asked.classes is not None else None


def verify(
    package: str | Path,
    *,
    onnx: str | Path | None = None,
    labels: str | Path | None = None,
    images: str | Path | None = None,
    float_model: Model | None = None,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> Verified:
    """Compare a package's numbers with the reference that it carries, or its answers with the float network's.

    :param onnx: the file that it was compiled from: compare on fresh inputs with ONNX Runtime instead.
    :param labels: a file of lines ``image<TAB>class id``, images relative to it, or to ``images``; or a folder with a
        folder for each class, as ImageNet's: the share of right answers too.
    :param images: a folder of images: what the package's precision costs on them.
    :param float_model: the float network that it is judged against, as MODEL of ``compile``; by default the zoo's of
        its name, or ``onnx``.
    :param emulate: let QEMU run it, as the CPU that it was compiled for.
    :param device: let a board run it, ``tracker://HOST:PORT/KEY``.
    :returns: ``schemas/verify.json``; ``passed`` says whether every output is right: floats within 1e-4 of their range
        (float16 packages: 1e-2; quantised networks: a step), NaN and infinity in the same places, integers and
        booleans equal; and of a vector of classes whether the five most likely agree (float16: the most likely).
    :raises UserError: the package is damaged, not for this CPU, or not made from that file, there is no emulator or no
        such board, no float network is known, or labels do not fit.
    """
    if float_model is not None and images is None:
        raise UserError("--float goes with --images DIR, what the package and the float network are shown")
    file, folder = (None if path is None else Path(path) for path in (onnx, images))
    accuracy: Accuracy | UnsetType = UNSET
    right: LabelShares | None = None
    with ExitStack() as stack:
        tested = stack.enter_context(open_package(package))
        manifest = tested.manifest
        pairs = _labelled(manifest, labels, folder)
        asked = _to_judge(tested, folder, file, float_model, pairs, on_event) if folder is not None else None
        if file is not None:
            tested = stack.enter_context(_with_fresh_reference(tested, file))
        place = place_of(tested, emulate=emulate, device=device, on_event=on_event)
        test = self_test(place)
        if asked is not None:
            accuracy, right = _accuracy(place, asked, on_event)
        elif pairs is not None:
            right = _on_labels(place, pairs)
    return Verified(
        **Ran.at(place, package),
        **test,
        scores_classes=_scores_classes(manifest),
        against="onnxruntime" if onnx is not None else "reference",
        tolerance=manifest.tolerance,
        labels=right,
        accuracy=accuracy,
    )
