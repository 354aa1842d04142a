"""ResNeXt-26 32x4d (arXiv 1611.05431): bottlenecks around 3x3 convolutions of 32 groups, two in every stage."""

from __future__ import annotations

import torch
from torch import nn

STAGES = ((128, 256, 1), (256, 512, 2), (512, 1024, 2), (1024, 2048, 2))
"""Channels inside and outside of the bottleneck, and stride."""
GROUPS = 32


def convolution(channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias and its batch normalisation."""
    layer = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels))


class Bottleneck(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolutions around a shortcut, a 1x1 convolution where the shape changes."""

    def __init__(self, channels: int, inner: int, out_channels: int, stride: int) -> None:
        super().__init__()
        grouped = convolution(inner, inner, 3, stride, GROUPS)
        last = convolution(inner, out_channels, 1)
        self.body = nn.Sequential(convolution(channels, inner, 1), nn.ReLU(), grouped, nn.ReLU(), last)
        same = stride == 1 and channels == out_channels
        self.shortcut = nn.Identity() if same else convolution(channels, out_channels, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.body(x) + self.shortcut(x))


def resnext26() -> nn.Module:
    """``[1, 3, 224, 224]`` -> ``[1, 1000]``, 2.5 G Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for inner, out_channels, stride in STAGES:
        layers += [
            Bottleneck(channels, inner, out_channels, stride),
            Bottleneck(out_channels, inner, out_channels, 1),
        ]
        channels = out_channels
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 224, 224)
    return network
