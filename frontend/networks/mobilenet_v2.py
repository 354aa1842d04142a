"""MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381, Table 2.

The state dict's names are torchvision's, so its checkpoints load unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from frontend.layers import Add, conv_bn, convolution, make_divisible
from frontend.zoo import TORCHVISION_V2, ZooEntry, register

# Expansion, output channels at width 1.0, repetitions, stride of the first repetition.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
LAST_CHANNELS = 1280
WIDTHS = (1.0, 1.4, 0.75, 0.5, 0.35)


class InvertedResidual(nn.Module):
    """Expand (unless ``expansion`` is 1), depthwise 3x3, project without activation; a shortcut where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(conv_bn(inputs, hidden, 1, activation=nn.ReLU6))
        layers.append(conv_bn(hidden, hidden, 3, stride, groups=hidden, activation=nn.ReLU6))
        layers += [convolution(hidden, outputs, 1), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.add = Add() if stride == 1 and inputs == outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.conv(x)
        if self.add is None:
            return projected
        total: torch.Tensor = self.add(x, projected)
        return total


class MobileNetV2(nn.Module):
    """``[N, 3, R, R]`` float32 images to ``[N, classes]`` logits.

    :param width: the width multiplier; as in the paper, values below 1 leave the last convolution at 1280 channels.
    """

    def __init__(self, width: float = 1.0, classes: int = 1000) -> None:
        super().__init__()
        channels = make_divisible(32 * width)
        features: list[nn.Module] = [conv_bn(3, channels, 3, 2, activation=nn.ReLU6)]
        for expansion, full_width, repetitions, first_stride in STAGES:
            outputs = make_divisible(full_width * width)
            for repetition in range(repetitions):
                stride = first_stride if repetition == 0 else 1
                features.append(InvertedResidual(channels, outputs, stride, expansion))
                channels = outputs
        last = make_divisible(LAST_CHANNELS * max(1.0, width))
        features.append(conv_bn(channels, last, 1, activation=nn.ReLU6))
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(torch.flatten(self.pool(self.features(x)), 1))
        return logits


@dataclass(frozen=True)
class _Build:
    width: float

    def __call__(self, classes: int, activation: str) -> nn.Module:
        return MobileNetV2(self.width, classes)


for _width in WIDTHS:
    register(
        ZooEntry(
            f"mobilenet_v2_{_width}_224",
            _Build(_width),
            224,
            activations=("relu6",),
            imagenet=TORCHVISION_V2 if _width == 1.0 else None,
        )
    )
