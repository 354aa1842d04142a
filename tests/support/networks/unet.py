"""A small U-Net (arXiv 1505.04597) with padded convolutions: transposed convolutions, skips joined by channels."""

from __future__ import annotations

import torch
from torch import nn


def double(channels: int, out_channels: int) -> nn.Sequential:
    """Two 3x3 convolutions with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for inputs in (channels, out_channels):
        convolution = nn.Conv2d(inputs, out_channels, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(out_channels), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Three levels; the lower upsampling is a transposed 2x2 convolution, the upper a 3x3 one."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.down1, self.down2, self.bottom = double(3, 16), double(16, 32), double(32, 64)
        self.pool = nn.MaxPool2d(2)
        self.lower = nn.ConvTranspose2d(64, 32, 2, stride=2)
        self.upper = nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1)
        self.up2, self.up1 = double(64, 32), double(32, 16)
        self.classify = nn.Conv2d(16, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        large = self.down1(x)
        middle = self.down2(self.pool(large))
        small = self.bottom(self.pool(middle))
        middle = self.up2(torch.cat([self.lower(small), middle], 1))
        return self.classify(self.up1(torch.cat([self.upper(middle), large], 1)))


def unet() -> nn.Module:
    """``[1, 3, 128, 128]`` -> ``[1, 2, 128, 128]``, 0.41 G Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    network = UNet(classes=2)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 128, 128)
    return network
