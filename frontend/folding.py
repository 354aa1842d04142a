"""Batch normalisation folded into the convolution before it, so that the ONNX graph keeps the layers' own names.

For networks of the zoo only: it knows that neighbours in their Sequentials run one after the other and nowhere else.
Computed in float64 and rounded once. A user's own module is left to the exporter, which sees the graph and folds too.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn


def fold_batch_norms(module: nn.Module) -> nn.Module:
    """A copy of ``module``, in evaluation mode, whose Conv2d-BatchNorm2d neighbours are one convolution each."""
    folded = copy.deepcopy(module).eval()
    for parent in folded.modules():
        if isinstance(parent, nn.Sequential):
            names = list(parent._modules)
            for name, following in pairwise(names):
                conv, norm = parent._modules[name], parent._modules[following]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    _fold(conv, norm)
                    parent._modules[following] = nn.Identity()
    return folded


@torch.no_grad()
def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None and norm.running_var is not None
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    scale = norm.weight.double() / torch.sqrt(variance + norm.eps)
    bias = torch.zeros_like(mean) if conv.bias is None else conv.bias.double()
    conv.weight = nn.Parameter((conv.weight.double() * scale[:, None, None, None]).float())
    conv.bias = nn.Parameter(((bias - mean) * scale + norm.bias.double()).float())
