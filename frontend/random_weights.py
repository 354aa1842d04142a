"""Random weights that are alive: every layer matters to the output, and the output depends on the input.

PyTorch's own initialisation leaves a MobileNetV1 whose output moves by 1e-7 of its range between a zero image and a
random one, so that a check on it passes with a layer missing. Here convolutions and dense layers get He et al.'s
initialisation (fan-in, arXiv 1502.01852), and one batch of seeded noise calibrates every batch normalisation.

All of it happens in float64 and is rounded to float32 at the end, so that another CPU, or another number of threads,
whose sums differ in their last bits, still arrives at the same weights.
"""

from __future__ import annotations

import hashlib

import torch
from torch import nn

CALIBRATION_BATCH = 4
_MEAN_STEP = 2.0**-40


def seed_of(name: str) -> int:
    """The seed that belongs to a model's name, the same in every process and release."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")


@torch.no_grad()
def make_alive(module: nn.Module, name: str, image: tuple[int, int, int]) -> None:
    """Give ``module`` the random weights that belong to ``name``, in place; it is left in evaluation mode, float32.

    :param image: ``(channels, height, width)`` of the input that the batch normalisations are calibrated with.
    """
    generator = torch.Generator().manual_seed(seed_of(name))
    module.to(torch.float64)
    module.eval()
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    batch = torch.randn(CALIBRATION_BATCH, *image, dtype=torch.float64, generator=generator)
    _calibrate(module, batch)
    module.to(torch.float32)


def _calibrate(module: nn.Module, batch: torch.Tensor) -> None:
    """One pass that leaves the batch's own statistics in every batch normalisation."""
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over all batches, which is one batch
        norm.train()
    module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        # After a linear bottleneck a mean is zero but for the sum's own rounding, which no two CPUs share.
        assert norm.running_mean is not None
        norm.running_mean.div_(_MEAN_STEP).round_().mul_(_MEAN_STEP).add_(0.0)  # the sum turns -0.0 into 0.0
        norm.momentum = momentum
        norm.eval()
