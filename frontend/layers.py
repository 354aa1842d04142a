"""Building blocks that the networks share. Nothing here adds a name to a state dict that torchvision lacks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

Activation = Callable[[], nn.Module]

ACTIVATIONS: dict[str, Activation] = {"relu": nn.ReLU, "relu6": nn.ReLU6, "hardswish": nn.Hardswish}


class Add(nn.Module):
    """The sum of two tensors of one shape; a module, so that the layer table sees the residual connections."""

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return left + right


class Multiply(nn.Module):
    """A feature map ``[N, C, H, W]`` times a scale ``[N, C, 1, 1]``; a module, so that the layer table sees it."""

    def forward(self, scale: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        return scale * features


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, bias: bool = False
) -> nn.Conv2d:
    """A square convolution that keeps the size at stride 1 (padding ``(kernel - 1) / 2`` on every side)."""
    return nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=bias)


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    activation: Activation | None,
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    named: bool = False,
) -> nn.Sequential:
    """Convolution, batch normalisation and activation (none for a linear bottleneck).

    :param named: call the children ``conv``, ``bn``, ``act`` (our naming) and not ``0``, ``1``, ``2`` (torchvision's).
    """
    children = OrderedDict[str, nn.Module](
        conv=convolution(inputs, outputs, kernel, stride, groups=groups), bn=norm(outputs)
    )
    if activation is not None:
        children["act"] = activation()
    return nn.Sequential(children) if named else nn.Sequential(*children.values())


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``value``, raised by one step where rounding took more than a tenth off.

    The rule of the MobileNetV2 and V3 papers' own code; torchvision rounds alike.
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
