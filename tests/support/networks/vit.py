"""A small Vision Transformer (arXiv 2010.11929): patches, a class token, attention, layer norms and GELU."""

from __future__ import annotations

import torch
from torch import nn


class Block(nn.Module):
    """Attention and a perceptron of two layers, each behind a layer norm and inside a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_perceptron = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project_in, self.project_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        """``[N, L, width]`` -> ``[N, L, width]``."""
        batch, length, width = x.shape
        parts = self.project_in(x).reshape(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts
        scores = query @ key.transpose(-2, -1) * (width // self.heads) ** -0.5
        return self.project_out((scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attend(self.norm_attention(x))
        return x + self.perceptron(self.norm_perceptron(x))


class ViT(nn.Module):
    """Patches of 8x8 pixels, two blocks; the class token's features are classified."""

    def __init__(self, width: int, heads: int, image: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, width, 8, stride=8)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, (image // 8) ** 2 + 1, width) * 0.1)
        self.blocks = nn.Sequential(Block(width, heads), Block(width, heads))
        self.norm, self.classify = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), patches], 1) + self.positions
        return self.classify(self.norm(self.blocks(tokens))[:, 0])


def vit() -> nn.Module:
    """``[1, 3, 64, 64]`` -> ``[1, 10]``, 6 M Mult-Adds, with live weights (He)."""
    torch.manual_seed(0)
    network = ViT(width=64, heads=4, image=64, classes=10)
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    network.input_shape = (3, 64, 64)
    return network
