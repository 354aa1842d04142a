"""A small Inception (arXiv 1512.00567): 1x7, 7x1, 1x3 and 3x1 kernels and averages of 3x3, joined by channels."""

from __future__ import annotations

import torch
from torch import nn


def convolution(
    channels: int, out_channels: int, kernel: tuple[int, int], stride: int = 1, *, padded: bool = True
) -> nn.Sequential:
    """A convolution without bias, its batch normalisation and ReLU."""
    padding = (kernel[0] // 2, kernel[1] // 2) if padded else 0
    layer = nn.Conv2d(channels, out_channels, kernel, stride, padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels), nn.ReLU())


class Mixed(nn.Module):
    """Six branches side by side: 448 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        one, three = (1, 1), (3, 3)
        narrow = convolution(channels, 64, one)
        crossed = nn.Sequential(narrow, convolution(64, 64, (1, 7)), convolution(64, 96, (7, 1)))
        squares = nn.Sequential(convolution(channels, 64, one), convolution(64, 96, three), convolution(96, 96, three))
        pooled = nn.Sequential(nn.AvgPool2d(3, 1, 1), convolution(channels, 64, one))
        wide, tall = convolution(channels, 48, (1, 3)), convolution(channels, 48, (3, 1))
        self.branches = nn.ModuleList([convolution(channels, 96, one), crossed, squares, pooled, wide, tall])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def inception() -> nn.Module:
    """``[1, 3, 299, 299]`` -> ``[1, 1000]``, 2.4 G Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    three = (3, 3)
    stem = (
        convolution(3, 32, three, 2, padded=False),
        convolution(32, 32, three, padded=False),
        convolution(32, 64, three),
        nn.MaxPool2d(3, 2),
        convolution(64, 80, (1, 1)),
        convolution(80, 192, three, padded=False),
        nn.MaxPool2d(3, 2),
    )
    mixed = (Mixed(192), Mixed(448), nn.MaxPool2d(3, 2, ceil_mode=True), Mixed(448))
    network = nn.Sequential(*stem, *mixed, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(448, 1000))
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 299, 299)
    return network
