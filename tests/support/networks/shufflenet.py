"""ShuffleNetV2 1.0 (arXiv 1807.11164): channels split in halves, joined and shuffled."""

from __future__ import annotations

import torch
from torch import nn

STAGES = ((24, 116, 4), (116, 232, 8), (232, 464, 4))
"""Channels in and out, and units."""


def convolution(channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias and its batch normalisation."""
    layer = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels))


class Unit(nn.Module):
    """A branch of three convolutions beside the other half of the channels, or beside a branch of two."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        inputs = channels if stride > 1 else half
        self.splits = stride == 1
        aside = [convolution(channels, channels, 3, stride, channels), convolution(channels, half), nn.ReLU()]
        self.aside = nn.Sequential(*(() if self.splits else aside))
        first, depthwise, last = (
            convolution(inputs, half),
            convolution(half, half, 3, stride, half),
            convolution(half, half),
        )
        self.branch = nn.Sequential(first, nn.ReLU(), depthwise, last, nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = x.chunk(2, 1) if self.splits else (x, x)
        joined = torch.cat([self.aside(left), self.branch(right)], 1)
        batch, channels, height, width = joined.shape
        pairs = joined.view(batch, 2, channels // 2, height, width).transpose(1, 2)
        return pairs.reshape(batch, channels, height, width)


def shufflenet_v2() -> nn.Module:
    """``[1, 3, 224, 224]`` -> ``[1, 1000]``, 145 M Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    units = [
        Unit(out_channels if unit else channels, out_channels, 1 if unit else 2)
        for channels, out_channels, count in STAGES
        for unit in range(count)
    ]
    stem = (convolution(3, 24, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    head = (convolution(464, 1024), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))
    network = nn.Sequential(*stem, *units, *head)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 224, 224)
    return network
