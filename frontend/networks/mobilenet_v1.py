"""MobileNetV1: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
arXiv 1704.04861.

Table 1 of the paper, with the stride of its last depthwise layer corrected: it prints "s2" where both its input and its
output are 7x7. The two hyperparameters are the width multiplier (alpha) and the resolution multiplier (rho, given here
as the input's side in pixels); the paper's two ablations are ``full convolutions`` (Table 4) and ``shallow`` (Table 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from frontend.layers import ACTIVATIONS, Activation, conv_bn
from frontend.zoo import Naming, ZooEntry, register

# Pointwise output channels at width 1.0 and the depthwise layer's stride, block by block.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
SHALLOW_BLOCKS = BLOCKS[:6] + BLOCKS[11:]  # without the five pairs of 14x14x512

WIDTHS = (1.0, 0.75, 0.5, 0.25)
RESOLUTIONS = (224, 192, 160, 128)


def scaled(channels: int, width: float) -> int:
    """Channels at a width multiplier, rounded as the authors' TF-slim code rounds: down, and never below 8."""
    return max(8, int(channels * width))


class SeparableBlock(nn.Module):
    """A 3x3 depthwise convolution, then a pointwise one; batch normalisation and activation after both."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: Activation) -> None:
        super().__init__()
        self.depthwise = conv_bn(inputs, inputs, 3, stride, groups=inputs, activation=activation, named=True)
        self.pointwise = conv_bn(inputs, outputs, 1, activation=activation, named=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pointwise: torch.Tensor = self.pointwise(self.depthwise(x))
        return pointwise


class MobileNetV1(nn.Module):
    """``[N, 3, R, R]`` float32 images to ``[N, classes]`` logits, for any resolution R of at least 32.

    :param width: the width multiplier alpha; every layer has ``scaled(channels, width)`` channels.
    :param activation: ``relu`` (the paper) or ``relu6`` (published checkpoints).
    :param full_convolutions: one full 3x3 convolution in the place of each separable block.
    :param shallow: without the five blocks of 14x14x512.
    """

    def __init__(
        self,
        width: float = 1.0,
        classes: int = 1000,
        activation: str = "relu",
        *,
        full_convolutions: bool = False,
        shallow: bool = False,
    ) -> None:
        super().__init__()
        act = ACTIVATIONS[activation]
        channels = scaled(32, width)
        self.conv1 = conv_bn(3, channels, 3, 2, activation=act, named=True)
        blocks: list[nn.Module] = []
        for full_width, stride in SHALLOW_BLOCKS if shallow else BLOCKS:
            outputs = scaled(full_width, width)
            if full_convolutions:
                blocks.append(conv_bn(channels, outputs, 3, stride, activation=act, named=True))
            else:
                blocks.append(SeparableBlock(channels, outputs, stride, act))
            channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.pool(self.blocks(self.conv1(x)))
        logits: torch.Tensor = self.classifier(torch.flatten(features, 1))
        return logits


_TIMM_STAGES = (1, 2, 2, 6, 2)  # how timm groups the thirteen blocks: blocks.STAGE.INDEX
_TIMM_BLOCK = re.compile(r"blocks\.(\d+)\.(\d+)\.(conv_dw|bn1|conv_pw|bn2)\.(.+)")
_TIMM_PARTS = {"conv_dw": "depthwise.conv", "bn1": "depthwise.bn", "conv_pw": "pointwise.conv", "bn2": "pointwise.bn"}


def _own_name(timm_name: str) -> str:
    if timm_name.startswith("conv_stem."):
        return timm_name.replace("conv_stem.", "conv1.conv.", 1)
    if timm_name.startswith("bn1."):
        return f"conv1.{timm_name.replace('bn1.', 'bn.', 1)}"
    match = _TIMM_BLOCK.fullmatch(timm_name)
    if match is None or int(match[1]) >= len(_TIMM_STAGES) or int(match[2]) >= _TIMM_STAGES[int(match[1])]:
        return timm_name  # a classifier's, or one that loading will call unexpected by the name the user knows
    block = sum(_TIMM_STAGES[: int(match[1])]) + int(match[2])
    return f"blocks.{block}.{_TIMM_PARTS[match[3]]}.{match[4]}"


def from_timm(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
    """A state dict with timm's ``mobilenetv1_100`` names under ours, or None where the names are not timm's."""
    if "conv_stem.weight" not in state:
        return None
    return {_own_name(name): tensor for name, tensor in state.items()}


# timm trains its MobileNetV1 with ReLU6 and scales images to [-1, 1] (timm/models/efficientnet.py).
TIMM = Naming("timm", from_timm, activation="relu6", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


@dataclass(frozen=True)
class _Build:
    """A zoo entry's constructor; a value, so that entries compare and print."""

    width: float
    full_convolutions: bool = False
    shallow: bool = False

    def __call__(self, classes: int, activation: str) -> nn.Module:
        return MobileNetV1(
            self.width, classes, activation, full_convolutions=self.full_convolutions, shallow=self.shallow
        )


def _entry(name: str, build: _Build, resolution: int) -> ZooEntry:
    return ZooEntry(name, build, resolution, activations=("relu", "relu6"), namings=(TIMM,))


for _width in WIDTHS:
    for _resolution in RESOLUTIONS:
        register(_entry(f"mobilenet_v1_{_width}_{_resolution}", _Build(_width), _resolution))
register(_entry("mobilenet_v1_0.25_32", _Build(0.25), 32))  # small enough to train on a CPU
register(_entry("mobilenet_v1_1.0_224_full_conv", _Build(1.0, full_convolutions=True), 224))
register(_entry("mobilenet_v1_1.0_224_shallow", _Build(1.0, shallow=True), 224))
