"""MobileNetV4: Qin et al., "MobileNetV4: Universal Models for the Mobile Ecosystem", arXiv 2404.10518.

The convolutional networks of the paper's appendix (Tables 11 to 13), each at the resolution of its Table 5. The state
dict's names are timm's (``mobilenetv4_conv_small``, ``_medium``, ``_large``), and so is batch normalisation's eps, so
timm's checkpoints load unchanged.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn

from frontend.layers import Add, conv_bn, convolution
from frontend.zoo import ZooEntry, register

LAST_CHANNELS = 1280


@dataclass(frozen=True)
class Conv:
    """A full convolution with activation."""

    kernel: int
    outputs: int
    stride: int = 1


@dataclass(frozen=True)
class FusedBottleneck:
    """A full 3x3 convolution that expands, then a projection (the paper's FusedIB)."""

    expansion: int
    outputs: int
    stride: int = 1


@dataclass(frozen=True)
class Bottleneck:
    """A universal inverted bottleneck (section 3): both depthwise convolutions may be left out (kernel 0).

    With the second alone it is MobileNetV2's block, with the first alone ConvNeXt's, with both the paper's ExtraDW,
    with none a feed-forward network.

    :ivar before: kernel of the depthwise convolution before the expansion.
    :ivar between: kernel of the one between expansion and projection.
    """

    before: int
    between: int
    expansion: int
    outputs: int
    stride: int = 1


Line = Conv | FusedBottleneck | Bottleneck
Stages = tuple[tuple[Line, ...], ...]

SMALL: Stages = (
    (Conv(3, 32, 2), Conv(1, 32)),
    (Conv(3, 96, 2), Conv(1, 64)),
    (Bottleneck(5, 5, 3, 96, 2), *(Bottleneck(0, 3, 2, 96),) * 4, Bottleneck(3, 0, 4, 96)),
    (
        Bottleneck(3, 3, 6, 128, 2),
        Bottleneck(5, 5, 4, 128),
        Bottleneck(0, 5, 4, 128),
        Bottleneck(0, 5, 3, 128),
        *(Bottleneck(0, 3, 4, 128),) * 2,
    ),
    (Conv(1, 960),),
)
MEDIUM: Stages = (
    (FusedBottleneck(4, 48, 2),),
    (Bottleneck(3, 5, 4, 80, 2), Bottleneck(3, 3, 2, 80)),
    (
        Bottleneck(3, 5, 6, 160, 2),
        *(Bottleneck(3, 3, 4, 160),) * 2,
        Bottleneck(3, 5, 4, 160),
        Bottleneck(3, 3, 4, 160),
        Bottleneck(3, 0, 4, 160),
        Bottleneck(0, 0, 2, 160),
        Bottleneck(3, 0, 4, 160),
    ),
    (
        Bottleneck(5, 5, 6, 256, 2),
        Bottleneck(5, 5, 4, 256),
        *(Bottleneck(3, 5, 4, 256),) * 2,
        Bottleneck(0, 0, 4, 256),
        Bottleneck(3, 0, 4, 256),
        Bottleneck(3, 5, 2, 256),
        Bottleneck(5, 5, 4, 256),
        *(Bottleneck(0, 0, 4, 256),) * 2,
        Bottleneck(5, 0, 2, 256),
    ),
    (Conv(1, 960),),
)
LARGE: Stages = (
    (FusedBottleneck(4, 48, 2),),
    (Bottleneck(3, 5, 4, 96, 2), Bottleneck(3, 3, 4, 96)),
    (
        Bottleneck(3, 5, 4, 192, 2),
        *(Bottleneck(3, 3, 4, 192),) * 3,
        Bottleneck(3, 5, 4, 192),
        *(Bottleneck(5, 3, 4, 192),) * 5,
        Bottleneck(3, 0, 4, 192),
    ),
    (
        Bottleneck(5, 5, 4, 512, 2),
        *(Bottleneck(5, 5, 4, 512),) * 3,
        Bottleneck(5, 0, 4, 512),
        Bottleneck(5, 3, 4, 512),
        *(Bottleneck(5, 0, 4, 512),) * 2,
        Bottleneck(5, 3, 4, 512),
        Bottleneck(5, 5, 4, 512),
        *(Bottleneck(5, 0, 4, 512),) * 3,
    ),
    (Conv(1, 960),),
)


class UniversalBottleneck(nn.Module):
    """A ``Bottleneck`` as a module; a shortcut where shapes agree."""

    def __init__(self, inputs: int, line: Bottleneck) -> None:
        super().__init__()
        hidden = inputs * line.expansion
        first_stride = 1 if line.between else line.stride
        self.dw_start = _depthwise(inputs, line.before, first_stride, active=False)
        self.pw_exp = conv_bn(inputs, hidden, 1, activation=nn.ReLU, named=True)
        self.dw_mid = _depthwise(hidden, line.between, line.stride, active=True)
        self.pw_proj = conv_bn(hidden, line.outputs, 1, activation=None, named=True)
        self.add = Add() if line.stride == 1 and inputs == line.outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.pw_proj(self.dw_mid(self.pw_exp(self.dw_start(x))))
        if self.add is None:
            return projected
        total: torch.Tensor = self.add(projected, x)
        return total


def _depthwise(channels: int, kernel: int, stride: int, *, active: bool) -> nn.Module:
    if kernel == 0:
        return nn.Identity()
    activation = nn.ReLU if active else None
    return conv_bn(channels, channels, kernel, stride, groups=channels, activation=activation, named=True)


def _block(inputs: int, line: Line) -> nn.Module:
    """One line of the tables, under timm's names."""
    if isinstance(line, Bottleneck):
        return UniversalBottleneck(inputs, line)
    if isinstance(line, Conv):
        conv = convolution(inputs, line.outputs, line.kernel, line.stride)
        return nn.Sequential(OrderedDict(conv=conv, bn1=nn.BatchNorm2d(line.outputs), act=nn.ReLU()))
    hidden = inputs * line.expansion
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv_exp=convolution(inputs, hidden, 3, line.stride),
            bn1=nn.BatchNorm2d(hidden),
            act=nn.ReLU(),
            conv_pwl=convolution(hidden, line.outputs, 1),
            bn2=nn.BatchNorm2d(line.outputs),
        )
    )


class MobileNetV4(nn.Sequential):
    """``[N, 3, R, R]`` float32 images to ``[N, classes]`` logits.

    :param stages: ``SMALL``, ``MEDIUM`` or ``LARGE``.
    :param stem: channels of the first convolution.
    """

    def __init__(self, stages: Stages, stem: int, classes: int = 1000) -> None:
        channels, groups = stem, list[nn.Module]()
        for lines in stages:
            blocks: list[nn.Module] = []
            for line in lines:
                blocks.append(_block(channels, line))
                channels = line.outputs
            groups.append(nn.Sequential(*blocks))
        super().__init__(
            OrderedDict[str, nn.Module](
                conv_stem=convolution(3, stem, 3, 2),
                bn1=nn.BatchNorm2d(stem),
                act1=nn.ReLU(),
                blocks=nn.Sequential(*groups),
                global_pool=nn.AdaptiveAvgPool2d(1),
                conv_head=convolution(channels, LAST_CHANNELS, 1),
                norm_head=nn.BatchNorm2d(LAST_CHANNELS),
                act2=nn.ReLU(),
                flatten=nn.Flatten(),
                classifier=nn.Linear(LAST_CHANNELS, classes),
            )
        )


@dataclass(frozen=True)
class _Build:
    stages: Stages
    stem: int

    def __call__(self, classes: int, activation: str) -> nn.Module:
        return MobileNetV4(self.stages, self.stem, classes)


for _size, _build, _resolution in (
    ("small", _Build(SMALL, 32), 224),
    ("medium", _Build(MEDIUM, 32), 256),
    ("large", _Build(LARGE, 24), 384),
):
    register(ZooEntry(f"mobilenet_v4_conv_{_size}_{_resolution}", _build, _resolution, activations=("relu",)))
