"""Random weights are alive: inputs matter, and so does every layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from frontend import zoo
from frontend.folding import fold_batch_norms
from frontend.random_weights import make_alive, seed_of


def alive(name: str) -> tuple[nn.Module, int]:
    entry = zoo.find(name)
    module = entry.module()
    make_alive(module, name, (3, entry.resolution, entry.resolution))
    return module, entry.resolution


def relative(left: torch.Tensor, right: torch.Tensor) -> float:
    """Largest difference as a share of the first one's range."""
    return float((left - right).abs().max() / (left.max() - left.min()))


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v1_1.0_224",
        "mobilenet_v1_0.25_128",
        "mobilenet_v1_1.0_224_shallow",
        "mobilenet_v2_1.0_224",
        "mobilenet_v2_0.35_224",
        "mobilenet_v3_large_1.0_224",
        "mobilenet_v3_small_1.0_224",
    ],
)
@torch.inference_mode()
def test_two_inputs_differ_by_a_twentieth_of_the_range(name: str) -> None:
    module, side = alive(name)
    generator = torch.Generator().manual_seed(1)
    first, second = (module(torch.randn(1, 3, side, side, generator=generator)) for _ in range(2))
    nothing = module(torch.zeros(1, 3, side, side))
    assert relative(first, second) >= 0.05
    assert relative(first, nothing) >= 0.05


@pytest.mark.parametrize("name", ["mobilenet_v1_0.25_128", "mobilenet_v2_0.35_224", "mobilenet_v3_small_1.0_224"])
@torch.inference_mode()
def test_no_convolution_can_be_zeroed_unnoticed(name: str) -> None:
    module, side = alive(name)
    folded = fold_batch_norms(module)
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(2))
    expected = folded(image)
    for layer_name, layer in folded.named_modules():
        if isinstance(layer, nn.Conv2d):
            kept = layer.weight.clone()
            layer.weight.zero_()
            assert relative(expected, folded(image)) > 1e-3, layer_name  # ten times what `verify` lets pass
            layer.weight.copy_(kept)


def test_the_same_name_gives_the_same_weights_and_another_name_others() -> None:
    first, second = alive("mobilenet_v1_0.25_128")[0], alive("mobilenet_v1_0.25_128")[0]
    for left, right in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(left, right)
    assert seed_of("mobilenet_v1_0.25_128") != seed_of("mobilenet_v1_0.25_160")


def test_weights_are_float32_and_the_module_is_ready_to_run() -> None:
    module, _ = alive("mobilenet_v3_small_1.0_224")
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    assert not any(layer.training for layer in module.modules())
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.01}  # calibration leaves no trace of itself


def test_means_that_are_only_rounding_noise_are_zero() -> None:
    """They would differ from CPU to CPU, and with them the exported file's hash."""
    module, _ = alive("mobilenet_v2_0.35_224")
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            mean = layer.running_mean
            assert not ((mean != 0) & (mean.abs() < 1e-13)).any()
            assert not torch.signbit(mean[mean == 0]).any()
