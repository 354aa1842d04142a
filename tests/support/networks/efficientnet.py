"""EfficientNet-B0 (arXiv 1905.11946): inverted residuals with SiLU and squeeze-and-excite gates."""

from __future__ import annotations

import torch
from torch import nn

STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
"""Expansion, channels, blocks, stride and kernel, as in the paper's table 1."""


def convolution(channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias and its batch normalisation."""
    layer = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels))


class SqueezeExcite(nn.Module):
    """Multiplies channels by a gate made from their means (arXiv 1709.01507)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        squeeze, excite = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), squeeze, nn.SiLU(), excite, nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x)


class InvertedResidual(nn.Module):
    """A 1x1 expansion, a depthwise convolution, a gate, a linear 1x1 projection; a shortcut where the shape stays."""

    def __init__(self, channels: int, out_channels: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = channels * expansion
        expand = [convolution(channels, inner), nn.SiLU()] if expansion != 1 else []
        depthwise = [convolution(inner, inner, kernel, stride, inner), nn.SiLU()]
        gate = SqueezeExcite(inner, max(1, channels // 4))
        self.body = nn.Sequential(*expand, *depthwise, gate, convolution(inner, out_channels))
        self.has_shortcut = stride == 1 and channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.has_shortcut else self.body(x)


def efficientnet_b0() -> nn.Module:
    """``[1, 3, 224, 224]`` -> ``[1, 1000]``, 0.39 G Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [convolution(3, 32, 3, 2), nn.SiLU()]
    channels = 32
    for expansion, out_channels, blocks, stride, kernel in STAGES:
        for block in range(blocks):
            layers.append(InvertedResidual(channels, out_channels, expansion, kernel, 1 if block else stride))
            channels = out_channels
    head = [convolution(320, 1280), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    network = nn.Sequential(*layers, *head)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 224, 224)
    return network
