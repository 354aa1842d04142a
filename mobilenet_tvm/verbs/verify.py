"""Whether a package computes what it should."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from mobilenet_tvm.base.document import Count, Document, Share
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.model.cut import cut_at
from mobilenet_tvm.package.manifest import Manifest
from mobilenet_tvm.package.open import Package, open_package
from mobilenet_tvm.package.reference import with_reference
from mobilenet_tvm.package.yardstick import make_pairs
from mobilenet_tvm.places.answers import SelfTest
from mobilenet_tvm.places.place import Place, Ran, place_of
from mobilenet_tvm.places.runner import classify, self_test

_FRESH_SEED = 1  # the package's own reference has seed 0
_IMAGES_PER_RUN = 64


class LabelShares(Document):
    """The shares of images whose class comes first, and is among the first five."""

    images: Count
    top1: Share
    top5: Share


class Verified(SelfTest, Ran):
    """What ``verify`` returns.

    :ivar tolerance: the largest ``relative_err`` that is right.
    :ivar scores_classes: whether the first output is ``[N, C]`` of float32 with more than five classes, or with names.
    """

    scores_classes: bool
    against: Literal["reference", "onnxruntime"]
    tolerance: float
    labels: LabelShares | None


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


def _read_pairs(path: Path) -> list[tuple[Path, int]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        image, _, class_id = line.rpartition("\t")
        if not image or not class_id.strip().isdecimal():
            raise UserError(f"{path}, line {number}: 'image<TAB>class id' is needed")
        pairs.append((path.parent / image, int(class_id)))
        if not pairs[-1][0].is_file():
            raise UserError(f"{path}, line {number}: no image {pairs[-1][0]}")
    if not pairs:
        raise UserError(f"{path} names no image")
    return pairs


def _on_labels(place: Place, path: Path) -> LabelShares:
    """The shares of images whose class comes first, and is among the first five."""
    pairs = _read_pairs(path)
    first = among = 0
    for begin in range(0, len(pairs), _IMAGES_PER_RUN):
        part = pairs[begin : begin + _IMAGES_PER_RUN]
        answer = classify(place, [image for image, _ in part], ["--top", "5"])
        for result, (_, class_id) in zip(answer.results, part, strict=True):
            ranked = [entry.class_id for entry in result.top]
            first += ranked[:1] == [class_id]
            among += class_id in ranked
    return LabelShares(images=len(pairs), top1=first / len(pairs), top5=among / len(pairs))


def verify(
    package: str | Path,
    *,
    onnx: str | Path | None = None,
    labels: str | Path | None = None,
    emulate: bool = False,
    device: str | None = None,
    on_event: OnEvent = warn_only,
) -> Verified:
    """Compare a package's numbers with the reference that it carries.

    :param onnx: the file that it was compiled from: compare on fresh inputs with ONNX Runtime instead.
    :param labels: a file of lines ``image<TAB>class id``, images relative to it: the share of right answers too.
    :param emulate: let QEMU run it, as the CPU that it was compiled for.
    :param device: let a board run it, ``tracker://HOST:PORT/KEY``.
    :returns: ``schemas/verify.json``; ``passed`` says whether every output is right: floats within 1e-4 of their range
        (float16 packages: 1e-2; quantised networks: a step), NaN and infinity in the same places, integers and
        booleans equal; and of a vector of classes whether the five most likely agree (float16: the most likely).
    :raises UserError: the package is damaged, not for this CPU, or not made from that file, or there is no emulator
        or no such board.
    """
    with ExitStack() as stack:
        tested = stack.enter_context(open_package(package))
        manifest = tested.manifest
        if onnx is not None:
            tested = stack.enter_context(_with_fresh_reference(tested, Path(onnx)))
        place = place_of(tested, emulate=emulate, device=device, on_event=on_event)
        test = self_test(place)
        shares = _on_labels(place, Path(labels)) if labels is not None else None
    return Verified(
        **Ran.at(place, package),
        **test,
        scores_classes=_scores_classes(manifest),
        against="onnxruntime" if onnx is not None else "reference",
        tolerance=manifest.tolerance,
        labels=shares,
    )
