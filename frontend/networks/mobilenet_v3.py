"""MobileNetV3: Howard et al., "Searching for MobileNetV3", arXiv 1905.02244, Tables 1 (large) and 2 (small).

The state dict's names are torchvision's, and so are the details that the paper leaves open (batch normalisation with
eps 0.001 and momentum 0.01, the squeeze to a quarter rounded to eight), so torchvision's checkpoints load unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from frontend.layers import ACTIVATIONS, Add, Multiply, conv_bn, make_divisible
from frontend.zoo import ZooEntry, register

_norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)


@dataclass(frozen=True)
class Bneck:
    """One line of the paper's tables: the block's input channels are the line before's output channels."""

    kernel: int
    expanded: int
    outputs: int
    squeeze: bool
    activation: str
    stride: int


LARGE = (
    Bneck(3, 16, 16, False, "relu", 1),
    Bneck(3, 64, 24, False, "relu", 2),
    Bneck(3, 72, 24, False, "relu", 1),
    Bneck(5, 72, 40, True, "relu", 2),
    Bneck(5, 120, 40, True, "relu", 1),
    Bneck(5, 120, 40, True, "relu", 1),
    Bneck(3, 240, 80, False, "hardswish", 2),
    Bneck(3, 200, 80, False, "hardswish", 1),
    Bneck(3, 184, 80, False, "hardswish", 1),
    Bneck(3, 184, 80, False, "hardswish", 1),
    Bneck(3, 480, 112, True, "hardswish", 1),
    Bneck(3, 672, 112, True, "hardswish", 1),
    Bneck(5, 672, 160, True, "hardswish", 2),
    Bneck(5, 960, 160, True, "hardswish", 1),
    Bneck(5, 960, 160, True, "hardswish", 1),
)
SMALL = (
    Bneck(3, 16, 16, True, "relu", 2),
    Bneck(3, 72, 24, False, "relu", 2),
    Bneck(3, 88, 24, False, "relu", 1),
    Bneck(5, 96, 40, True, "hardswish", 2),
    Bneck(5, 240, 40, True, "hardswish", 1),
    Bneck(5, 240, 40, True, "hardswish", 1),
    Bneck(5, 120, 48, True, "hardswish", 1),
    Bneck(5, 144, 48, True, "hardswish", 1),
    Bneck(5, 288, 96, True, "hardswish", 2),
    Bneck(5, 576, 96, True, "hardswish", 1),
    Bneck(5, 576, 96, True, "hardswish", 1),
)


def _scaled(line: Bneck, width: float) -> Bneck:
    return replace(line, expanded=make_divisible(line.expanded * width), outputs=make_divisible(line.outputs * width))


class SqueezeExcitation(nn.Module):
    """Scale every channel by a gate computed from all channels' means (1x1 convolutions, as in torchvision)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = make_divisible(channels // 4)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.activation = nn.ReLU()
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.scale_activation = nn.Hardsigmoid()
        self.multiply = Multiply()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x)))))
        scaled: torch.Tensor = self.multiply(gate, x)
        return scaled


class InvertedResidual(nn.Module):
    """Expand (unless it already is), depthwise, squeeze-and-excite, project; a shortcut where shapes agree."""

    def __init__(self, inputs: int, line: Bneck) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        block = partial(conv_bn, norm=_norm)
        activation = ACTIVATIONS[line.activation]
        if line.expanded != inputs:
            layers.append(block(inputs, line.expanded, 1, activation=activation))
        layers.append(
            block(line.expanded, line.expanded, line.kernel, line.stride, groups=line.expanded, activation=activation)
        )
        if line.squeeze:
            layers.append(SqueezeExcitation(line.expanded))
        layers.append(block(line.expanded, line.outputs, 1, activation=None))
        self.block = nn.Sequential(*layers)
        self.add = Add() if line.stride == 1 and inputs == line.outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.block(x)
        if self.add is None:
            return projected
        total: torch.Tensor = self.add(projected, x)
        return total


class MobileNetV3(nn.Module):
    """``[N, 3, R, R]`` float32 images to ``[N, classes]`` logits.

    :param lines: ``LARGE`` or ``SMALL``.
    :param last: width of the layer before the classifier (1280 for large, 1024 for small).
    :param width: the width multiplier of all channels, rounded to eight.
    """

    def __init__(self, lines: tuple[Bneck, ...], last: int, classes: int = 1000, width: float = 1.0) -> None:
        super().__init__()
        channels, last = make_divisible(16 * width), make_divisible(last * width)
        lines = tuple(_scaled(line, width) for line in lines)
        features: list[nn.Module] = [conv_bn(3, channels, 3, 2, activation=nn.Hardswish, norm=_norm)]
        for line in lines:
            features.append(InvertedResidual(channels, line))
            channels = line.outputs
        features.append(conv_bn(channels, 6 * channels, 1, activation=nn.Hardswish, norm=_norm))
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * channels, last), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(last, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))
        return logits


@dataclass(frozen=True)
class _Build:
    lines: tuple[Bneck, ...]
    last: int
    width: float = 1.0

    def __call__(self, classes: int, activation: str) -> nn.Module:
        return MobileNetV3(self.lines, self.last, classes, self.width)


register(ZooEntry("mobilenet_v3_large_1.0_224", _Build(LARGE, 1280), 224, activations=("hardswish",)))
register(ZooEntry("mobilenet_v3_small_1.0_224", _Build(SMALL, 1024), 224, activations=("hardswish",)))
# small enough to train on a CPU
register(ZooEntry("mobilenet_v3_small_0.25_32", _Build(SMALL, 1024, 0.25), 32, activations=("hardswish",)))
