"""SSD on MobileNetV1 (arXiv 1704.04861, Table 13) and SSDLite on MobileNetV2 (arXiv 1801.04381, section 6.2).

For COCO: 90 label ids, as TensorFlow's and torchvision's detectors have them. No package carries trained weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from frontend.detection import ANCHORS, Ssd, anchor_boxes
from frontend.layers import convolution
from frontend.networks.mobilenet_v1 import MobileNetV1
from frontend.networks.mobilenet_v2 import InvertedResidual, MobileNetV2
from frontend.zoo import ZooEntry, register

COCO_LABELS = 90
EXTRAS = ((256, 512), (128, 256), (128, 256), (64, 128))  # channels of each stage behind the network: between, output
CENTRED = (0.5, 0.5, 0.5)  # images from -1 to 1

Predictor = Callable[[int, int], nn.Module]


def stage_sides(stages: Sequence[nn.Module], resolution: int) -> list[int]:
    """The sides of the feature maps that the stages make of an image."""
    sides, x = [], torch.zeros(1, 3, resolution, resolution)
    with torch.inference_mode():
        for stage in stages:
            x = stage.eval()(x)
            sides.append(x.shape[-1])
    return sides


def ssd_mobilenet_v1(classes: int, activation: str) -> nn.Module:
    """SSD: full convolutions behind the network, pointwise predictors."""
    network = MobileNetV1(1.0, 1, activation)
    blocks = list(network.blocks)
    stages = [nn.Sequential(network.conv1, *blocks[:11]), nn.Sequential(*blocks[11:])]
    channels = 1024
    for between, outputs in EXTRAS:
        narrow = _convolution(channels, between, 1)
        stages.append(nn.Sequential(narrow, _convolution(between, outputs, 3, 2)))
        channels = outputs
    return _detector(stages, (512, 1024, *(outputs for _, outputs in EXTRAS)), 300, classes, _pointwise)


def ssdlite_mobilenet_v2(classes: int, activation: str) -> nn.Module:
    """SSDLite: separable convolutions behind the network and in the predictors.

    The first feature map is the expansion in the first block of 160 channels.
    """
    features = list(MobileNetV2(1.0, 1).features)
    block = features[14]
    assert isinstance(block, InvertedResidual)
    expansion, *rest = block.conv
    stages = [nn.Sequential(*features[:14], expansion), nn.Sequential(*rest, *features[15:])]
    channels = 1280
    for between, outputs in EXTRAS:
        depthwise = _convolution(between, between, 3, 2, groups=between)
        narrow, wide = (_convolution(*pair, 1) for pair in ((channels, between), (between, outputs)))
        stages.append(nn.Sequential(narrow, depthwise, wide))
        channels = outputs
    return _detector(stages, (576, 1280, *(outputs for _, outputs in EXTRAS)), 320, classes, _separable)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1) -> nn.Module:
    """With a bias where TensorFlow has batch normalisation: on maps of one position it has nothing to average over."""
    return nn.Sequential(convolution(inputs, outputs, kernel, stride, groups=groups, bias=True), nn.ReLU6())


def _pointwise(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 1)


def _separable(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(_convolution(inputs, inputs, 3, groups=inputs), nn.Conv2d(inputs, outputs, 1))


def _detector(
    stages: Sequence[nn.Module], channels: Sequence[int], resolution: int, classes: int, predictor: Predictor
) -> nn.Module:
    labels = classes + 1
    places = list(zip(channels, ANCHORS, strict=True))
    return Ssd(
        stages,
        [predictor(inputs, 4 * anchors) for inputs, anchors in places],
        [predictor(inputs, labels * anchors) for inputs, anchors in places],
        anchor_boxes(stage_sides(stages, resolution)),
        labels=labels,
        kept=classes,
    )


def _entry(name: str, build: Callable[[int, str], nn.Module], resolution: int, activations: tuple[str, ...]) -> None:
    register(
        ZooEntry(
            name,
            build,
            resolution,
            activations,
            classes=COCO_LABELS,
            labels=None,
            resize=resolution,
            mean=CENTRED,
            std=CENTRED,
        )
    )


_entry("ssd_mobilenet_v1", ssd_mobilenet_v1, 300, ("relu6", "relu"))
_entry("ssdlite_mobilenet_v2", ssdlite_mobilenet_v2, 320, ("relu6",))
