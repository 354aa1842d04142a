"""Single-shot detection: Liu et al., "SSD: Single Shot MultiBox Detector", arXiv 1512.02325.

Anchors, the coding of boxes and the sizes of all are those of TensorFlow's object detection API, with which the
MobileNet papers made their detectors. Suppressing boxes that overlap (NMS) is left to whoever uses the outputs: how
many boxes remain depends on the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import torch
from torch import nn

SMALLEST, LARGEST = 0.2, 0.95  # scales of the first and the last feature map's anchors, as shares of the image
ANCHORS = (3, 6, 6, 6, 6, 6)  # per position of each feature map
_CENTRE_SCALE, _SIZE_SCALE = 10.0, 5.0  # what the coding of a box is multiplied by


class Detections(NamedTuple):
    """What a detector returns, anchor by anchor.

    :ivar boxes: ``[N, anchors, 4]``: top, left, bottom and right as shares of the image.
    :ivar scores: ``[N, anchors, classes]``: each class's probability; the background is left out.
    """

    boxes: torch.Tensor
    scores: torch.Tensor


def anchor_boxes(sides: Sequence[int]) -> torch.Tensor:
    """The anchors ``[anchors, 4]`` (top, left, bottom, right), position by position of each feature map in turn.

    :param sides: of the square feature maps.
    """
    step = (LARGEST - SMALLEST) / (len(sides) - 1)
    scales = [SMALLEST + step * index for index in range(len(sides))]
    boxes: list[torch.Tensor] = []
    for index, side in enumerate(sides):
        following = scales[index + 1] if index + 1 < len(scales) else 1.0
        sizes = torch.tensor(_first_sizes(scales[0]) if index == 0 else _sizes(scales[index], following))
        middles = (torch.arange(side) + 0.5) / side
        rows, columns = torch.meshgrid(middles, middles, indexing="ij")
        centres = torch.stack([rows, columns], -1).reshape(-1, 1, 2)
        boxes.append(torch.cat([centres - sizes / 2, centres + sizes / 2], -1).reshape(-1, 4))
    return torch.cat(boxes)


def _first_sizes(scale: float) -> list[tuple[float, float]]:
    """Heights and widths at a position of the first feature map: a small square and two of twice the length."""
    return [(0.1, 0.1), _size(scale, 2.0), _size(scale, 0.5)]


def _sizes(scale: float, following: float) -> list[tuple[float, float]]:
    """Of the others: a square, one on the way to the next feature map's, and four of other aspects."""
    squares = [_size(scale, 1.0), _size(sqrt(scale * following), 1.0)]
    return squares + [_size(scale, aspect) for aspect in (2.0, 0.5, 3.0, 0.3333)]


def _size(scale: float, aspect: float) -> tuple[float, float]:
    """Height and width."""
    return scale / sqrt(aspect), scale * sqrt(aspect)


class BoxDecoder(nn.Module):
    """Codings ``[N, anchors, 4]`` to boxes: a centre that moves and a size that grows, both in the anchor's measure."""

    anchors: torch.Tensor

    def __init__(self, anchors: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("anchors", anchors, persistent=False)

    def forward(self, codings: torch.Tensor) -> torch.Tensor:
        sizes = self.anchors[:, 2:] - self.anchors[:, :2]
        centres = self.anchors[:, :2] + sizes / 2
        moved = codings[..., :2] * (sizes / _CENTRE_SCALE) + centres
        half = torch.exp(codings[..., 2:] * (1 / _SIZE_SCALE)) * (sizes / 2)
        return torch.cat([moved - half, moved + half], -1)


class Ssd(nn.Module):
    """Images to ``Detections``.

    :param stages: one after the other; each one's output is a feature map that has predictions.
    :param boxes: per feature map what predicts ``4 * anchors`` channels.
    :param classes: per feature map what predicts ``labels * anchors`` channels, the background first.
    :param labels: with the background.
    :param kept: so many labels behind the background are put out.
    """

    def __init__(
        self,
        stages: Sequence[nn.Module],
        boxes: Sequence[nn.Module],
        classes: Sequence[nn.Module],
        anchors: torch.Tensor,
        *,
        labels: int,
        kept: int,
    ) -> None:
        super().__init__()
        self.stages, self.boxes, self.classes = nn.ModuleList(stages), nn.ModuleList(boxes), nn.ModuleList(classes)
        self.decoder = BoxDecoder(anchors)
        self.labels, self.kept = labels, kept

    def forward(self, x: torch.Tensor) -> Detections:
        features: list[torch.Tensor] = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        codings = _by_anchor(self.boxes, features, 4)
        logits = _by_anchor(self.classes, features, self.labels)
        return Detections(self.decoder(codings), torch.sigmoid(logits[..., 1 : 1 + self.kept]))


def _by_anchor(heads: nn.ModuleList, features: list[torch.Tensor], width: int) -> torch.Tensor:
    """The predictions ``[N, anchors, width]`` of all feature maps."""
    predictions = [head(feature) for head, feature in zip(heads, features, strict=True)]
    return torch.cat([part.permute(0, 2, 3, 1).reshape(part.shape[0], -1, width) for part in predictions], 1)
