"""ResNet-18 (arXiv 1512.03385): 3x3 convolutions and residual additions."""

from __future__ import annotations

import torch
from torch import nn

STAGES = (
    (64, 64, 1),
    (64, 64, 1),
    (64, 128, 2),
    (128, 128, 1),
    (128, 256, 2),
    (256, 256, 1),
    (256, 512, 2),
    (512, 512, 1),
)


def convolution(channels: int, out_channels: int, kernel: int, stride: int) -> nn.Sequential:
    """A convolution without bias and its batch normalisation."""
    layer = nn.Conv2d(channels, out_channels, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(channels, out_channels, 3, stride)
        self.second = convolution(out_channels, out_channels, 3, 1)
        same = stride == 1 and channels == out_channels
        self.shortcut = nn.Identity() if same else convolution(channels, out_channels, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.second(self.relu(self.first(x))) + self.shortcut(x))


def resnet18() -> nn.Module:
    """``[1, 3, 224, 224]`` -> ``[1, 1000]``, 1.81 G Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    stem = [convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    blocks = [BasicBlock(*stage) for stage in STAGES]
    network = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 224, 224)
    return network
