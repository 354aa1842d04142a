"""A package's answers to images beside those of the float network that it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.document import Count, Document, Share
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, progress
from mobilenet_tvm.check.accuracy.layers import LayerNoise, layer_noise
from mobilenet_tvm.model.quantise.images import tensor_of
from mobilenet_tvm.model.source import ModelSource
from mobilenet_tvm.package.tensors import decoded
from mobilenet_tvm.package.yardstick import onnxruntime_session
from mobilenet_tvm.places.answers import OutputValue
from mobilenet_tvm.places.place import Place
from mobilenet_tvm.places.runner import classify

if TYPE_CHECKING:
    import numpy as np

GATE = 0.98
"""MLPerf's for networks in eight bits: their top-1 is at least so much of float32's."""
_IMAGES_PER_RUN = 64
_LAYER_IMAGES = 16
"""Images whose every layer is looked at."""


class LabelShares(Document):
    """The shares of images whose class comes first, and is among the first five."""

    images: Count
    top1: Share
    top5: Share


class Accuracy(Document):
    """What a package's precision costs.

    :ivar against: the float network.
    :ivar cosine_mean: of the first output and the float network's, by image, on average; 1 is the same direction.
    :ivar cosine_min: of the image where it is least, which is ``worst_image``.
    :ivar top1_agreement: share of images whose likeliest class is the float network's; null where there are no classes.
    :ivar top5_agreement: share of images where the float network's likeliest class is among the package's first five.
    :ivar float_labels: with labels, the float network's shares of right answers.
    :ivar meets_gate: with labels, whether the package's top-1 is at least 98 % of the float network's, as MLPerf asks.
    :ivar layers: of a quantised network, worst first; null where the quantised file is not at hand.
    """

    images: Count
    against: str
    cosine_mean: float
    cosine_min: float
    worst_image: str
    top1_agreement: Share | None
    top5_agreement: Share | None
    float_labels: LabelShares | None
    meets_gate: bool | None
    layers: tuple[LayerNoise, ...] | None


@dataclass(frozen=True)
class Answers:
    """First outputs for the same images, a row each.

    :ivar made: the package's.
    :ivar right: the float network's.
    """

    made: np.ndarray
    right: np.ndarray


def shares(rows: np.ndarray, classes: Sequence[int]) -> LabelShares:
    """How often the right class comes first, and is among the first five.

    :param rows: ``[images, classes]``.
    """
    import numpy as np

    ranked = np.argsort(-rows, axis=1, kind="stable")[:, :5]
    right = ranked == np.asarray(classes)[:, None]
    return LabelShares(images=len(rows), top1=float(right[:, 0].mean()), top5=float(right.any(axis=1).mean()))


def answers(place: Place, source: ModelSource, images: Sequence[Path], on_event: OnEvent) -> Answers:
    """Both networks' first outputs.

    :param source: the float network.
    :raises UserError: an image does not decode, or the networks' outputs are of different shapes.
    """
    import numpy as np

    if place.package.manifest.inputs[0].shape[:1] != (1,):
        raise UserError(f"{place.package.shown} takes several images at once: compile it for one to judge it")
    made: list[np.ndarray] = []
    for begin in range(0, len(images), _IMAGES_PER_RUN):
        progress(on_event, "images", begin, len(images))
        part = images[begin : begin + _IMAGES_PER_RUN]
        made += [_first_output(result.outputs or ()) for result in classify(place, part, ["--data"]).results]
    session = onnxruntime_session(source.onnx, quantised=False)
    name = session.get_outputs()[0].name
    feeds = _feeds(source, images)
    right = [np.asarray(session.run([name], feed)[0], np.float64).reshape(-1) for feed in feeds]
    if made[0].shape != right[0].shape:
        raise UserError(f"{place.package.shown} and {source.name} have first outputs of different shapes")
    return Answers(np.stack(made), np.stack(right))


def _first_output(outputs: Sequence[OutputValue]) -> np.ndarray:
    import numpy as np

    return np.asarray(decoded(outputs[0].data or "", outputs[0].dtype, outputs[0].shape), np.float64).reshape(-1)


def _feeds(source: ModelSource, images: Sequence[Path]) -> Iterator[dict[str, np.ndarray]]:
    tensor = source.inputs[0]
    return ({tensor.name: tensor_of(image, tensor, source.preprocessing)} for image in images)


def judge(
    both: Answers,
    source: ModelSource,
    images: Sequence[Path],
    *,
    classes: Sequence[int] | None,
    scores: bool,
    quantised: Path | None,
) -> Accuracy:
    """What the answers say.

    :param source: the float network.
    :param classes: the right class of each image.
    :param scores: whether the outputs score classes.
    :param quantised: the file that the package was compiled from, where that is quantised.
    """
    import numpy as np

    cosines = _cosines(both.made, both.right)
    worst = int(cosines.argmin())
    agreement = shares(both.made, [int(row.argmax()) for row in both.right]) if scores else None
    labelled = shares(both.right, classes) if classes is not None else None
    top1 = shares(both.made, classes).top1 if classes is not None else 0.0
    return Accuracy(
        images=len(images),
        against=source.name,
        cosine_mean=float(np.mean(cosines)),
        cosine_min=float(cosines[worst]),
        worst_image=str(images[worst]),
        top1_agreement=agreement.top1 if agreement is not None else None,
        top5_agreement=agreement.top5 if agreement is not None else None,
        float_labels=labelled,
        meets_gate=top1 >= GATE * labelled.top1 if labelled is not None else None,
        layers=_layers(source, quantised, images) if quantised is not None else None,
    )


def _layers(source: ModelSource, quantised: Path, images: Sequence[Path]) -> tuple[LayerNoise, ...]:
    every = max(len(images) // _LAYER_IMAGES, 1)
    return layer_noise(source.onnx, quantised, list(_feeds(source, images[::every][:_LAYER_IMAGES])))


def _cosines(made: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Row by row; of two rows of zeros 1, of one 0."""
    import numpy as np

    lengths = np.linalg.norm(made, axis=1) * np.linalg.norm(right, axis=1)
    same = np.abs(made - right).max(axis=1) == 0
    cosines = (made * right).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    return np.asarray(np.where(lengths > 0, cosines, same.astype(float)))
