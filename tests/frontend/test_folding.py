"""Folding batch normalisation into convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from frontend import zoo
from frontend.folding import fold_batch_norms
from frontend.random_weights import make_alive


@pytest.mark.parametrize(
    "name",
    ["mobilenet_v1_0.25_128", "mobilenet_v1_1.0_224_shallow", "mobilenet_v2_0.35_224", "mobilenet_v3_small_1.0_224"],
)
@torch.inference_mode()
def test_the_folded_network_computes_the_same_without_batch_normalisation(name: str) -> None:
    module = zoo.find(name).module()
    make_alive(module, name, (3, 96, 96))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    folded = fold_batch_norms(module)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())
    image = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(3))
    expected, actual = module(image), folded(image)
    assert (expected - actual).abs().max() <= 1e-5 * (expected.max() - expected.min())
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


@torch.inference_mode()
def test_a_convolution_with_a_bias_folds_too() -> None:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5))
    block(torch.randn(8, 3, 9, 9))  # statistics that are not the initial ones
    block.eval()
    image = torch.randn(1, 3, 9, 9)
    assert torch.allclose(block(image), fold_batch_norms(block)(image), atol=1e-5)
