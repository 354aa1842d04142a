"""MobileNetV3 against torchvision's state dicts and the published figures."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from frontend import zoo
from frontend.cost import cost_of


@pytest.mark.parametrize(("size", "parameters", "mult_adds"), [("large", 5_483_032, 217), ("small", 2_542_856, 57)])
def test_torchvision_counts_as_much(size: str, parameters: int, mult_adds: int) -> None:
    """torchvision's ``num_params`` (batch normalisation included) and ``_ops``."""
    entry = zoo.find(f"mobilenet_v3_{size}_1.0_224")
    assert sum(parameter.numel() for parameter in entry.module().parameters()) == parameters
    assert round(cost_of(entry).mult_adds / 1e6) == mult_adds


# Of torchvision's mobilenet_v3_small-047dcff4.pth, block by block: the expansion's weight (None: it has none), the
# depthwise weight, the squeezed channels, the projection's weight.
SMALL_SHAPES = {
    1: (None, (16, 1, 3, 3), 8, (16, 16, 1, 1)),
    2: ((72, 16, 1, 1), (72, 1, 3, 3), None, (24, 72, 1, 1)),
    3: ((88, 24, 1, 1), (88, 1, 3, 3), None, (24, 88, 1, 1)),
    4: ((96, 24, 1, 1), (96, 1, 5, 5), 24, (40, 96, 1, 1)),
    5: ((240, 40, 1, 1), (240, 1, 5, 5), 64, (40, 240, 1, 1)),
    6: ((240, 40, 1, 1), (240, 1, 5, 5), 64, (40, 240, 1, 1)),
    7: ((120, 40, 1, 1), (120, 1, 5, 5), 32, (48, 120, 1, 1)),
    8: ((144, 48, 1, 1), (144, 1, 5, 5), 40, (48, 144, 1, 1)),
    9: ((288, 48, 1, 1), (288, 1, 5, 5), 72, (96, 288, 1, 1)),
    10: ((576, 96, 1, 1), (576, 1, 5, 5), 144, (96, 576, 1, 1)),
    11: ((576, 96, 1, 1), (576, 1, 5, 5), 144, (96, 576, 1, 1)),
}


def _with_norm(prefix: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    norm = {f"{prefix}.1.{part}": (shape[0],) for part in ("weight", "bias", "running_mean", "running_var")}
    return {f"{prefix}.0.weight": shape, **norm, f"{prefix}.1.num_batches_tracked": ()}


def torchvision_small() -> dict[str, tuple[int, ...]]:
    expected = _with_norm("features.0", (16, 3, 3, 3))
    for block, (expansion, depthwise, squeezed, projection) in SMALL_SHAPES.items():
        place = 0
        for shape in (expansion, depthwise):
            if shape is not None:
                expected |= _with_norm(f"features.{block}.block.{place}", shape)
                place += 1
        if squeezed is not None:
            channels, prefix = depthwise[0], f"features.{block}.block.{place}"
            expected |= {f"{prefix}.fc1.weight": (squeezed, channels, 1, 1), f"{prefix}.fc1.bias": (squeezed,)}
            expected |= {f"{prefix}.fc2.weight": (channels, squeezed, 1, 1), f"{prefix}.fc2.bias": (channels,)}
            place += 1
        expected |= _with_norm(f"features.{block}.block.{place}", projection)
    expected |= _with_norm("features.12", (576, 96, 1, 1))
    expected |= {"classifier.0.weight": (1024, 576), "classifier.0.bias": (1024,)}
    return expected | {"classifier.3.weight": (1000, 1024), "classifier.3.bias": (1000,)}


def test_the_small_networks_state_dict_is_torchvisions() -> None:
    state = zoo.find("mobilenet_v3_small_1.0_224").module().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == torchvision_small()


def test_the_large_networks_state_dict_has_torchvisions_landmarks() -> None:
    state = zoo.find("mobilenet_v3_large_1.0_224").module().state_dict()
    landmarks = {
        "features.0.0.weight": (16, 3, 3, 3),
        "features.1.block.1.0.weight": (16, 16, 1, 1),
        "features.4.block.1.0.weight": (72, 1, 5, 5),
        "features.4.block.2.fc1.weight": (24, 72, 1, 1),
        "features.11.block.2.fc2.weight": (480, 120, 1, 1),
        "features.15.block.3.1.running_var": (160,),
        "features.16.0.weight": (960, 160, 1, 1),
        "classifier.0.weight": (1280, 960),
        "classifier.3.weight": (1000, 1280),
    }
    assert {name: tuple(state[name].shape) for name in landmarks} == landmarks


def test_batch_normalisation_is_torchvisions() -> None:
    norms = [m for m in zoo.find("mobilenet_v3_small_1.0_224").module().modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, 0.01)}


def test_the_depthwise_layer_is_paired_with_the_projection_and_not_with_the_squeeze() -> None:
    cost = cost_of(zoo.find("mobilenet_v3_large_1.0_224"))
    depthwise = [layer for layer in cost.layers if layer.kind == "depthwise"]
    assert len(cost.separable_blocks) == len(depthwise) == 15
    assert cost.separable_blocks[3].formula == "1/40 + 1/5^2"
    assert all(1 / 25 < block.ratio < 1 / 5 for block in cost.separable_blocks)


def test_the_output_has_as_many_classes_as_asked_for() -> None:
    module = zoo.find("mobilenet_v3_small_1.0_224").module(classes=7).eval()
    with torch.inference_mode():
        assert module(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
