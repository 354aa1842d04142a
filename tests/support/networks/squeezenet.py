"""SqueezeNet 1.1 (arXiv 1602.07360 and its authors' later revision): fire modules, no depthwise layer."""

from __future__ import annotations

import torch
from torch import nn

FIRES = ((64, 16, 64), (128, 16, 64), None, (128, 32, 128), (256, 32, 128), None)
LAST_FIRES = ((256, 48, 192), (384, 48, 192), (384, 64, 256), (512, 64, 256))


class Fire(nn.Module):
    """A 1x1 squeeze, then 1x1 and 3x3 expansions side by side: 2 * ``expand`` channels."""

    def __init__(self, channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.squeeze(x))
        return torch.cat([self.relu(self.expand1x1(x)), self.relu(self.expand3x3(x))], 1)


def squeezenet1_1() -> nn.Module:
    """``[1, 3, 224, 224]`` -> ``[1, 1000]``, 349 M Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    stem = (nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True))
    fires = [nn.MaxPool2d(3, 2, ceil_mode=True) if fire is None else Fire(*fire) for fire in (*FIRES, *LAST_FIRES)]
    network = nn.Sequential(*stem, *fires, nn.Conv2d(512, 1000, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network.input_shape = (3, 224, 224)
    return network
