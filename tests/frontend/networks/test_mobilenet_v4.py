"""MobileNetV4 against timm's state dicts and the paper's table."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from frontend import zoo
from frontend.cost import cost_of

# Of timm 1.0.31: parameters with batch normalisation, entries of the state dict. Of the paper's Table 5: millions of
# parameters, billions of Mult-Adds at the same resolution. timm follows the authors' code, whose medium and large
# networks are a little larger than what the table says.
NETWORKS = {
    "mobilenet_v4_conv_small_224": (3_774_024, 278, 3.8, 0.2),
    "mobilenet_v4_conv_medium_256": (9_715_512, 464, 9.2, 1.0),
    "mobilenet_v4_conv_large_384": (32_590_864, 614, 31.0, 5.9),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_counts_are_timms_and_the_papers(name: str) -> None:
    parameters, tensors, paper_parameters, paper_mult_adds = NETWORKS[name]
    module = zoo.find(name).module()
    assert sum(parameter.numel() for parameter in module.parameters()) == parameters
    assert len(module.state_dict()) == tensors
    cost = cost_of(zoo.find(name))
    assert cost.parameters / 1e6 == pytest.approx(paper_parameters, rel=0.06)
    assert cost.mult_adds / 1e9 == pytest.approx(paper_mult_adds, rel=0.09)


def test_mult_adds_exactly() -> None:
    assert [cost_of(zoo.find(name)).mult_adds for name in NETWORKS] == [186_005_568, 1_080_244_224, 6_376_220_672]


def test_names_and_shapes_are_timms() -> None:
    state = zoo.find("mobilenet_v4_conv_medium_256").module().state_dict()
    expected = {
        "conv_stem.weight": (32, 3, 3, 3),
        "bn1.running_mean": (32,),
        "blocks.0.0.conv_exp.weight": (128, 32, 3, 3),
        "blocks.0.0.bn1.weight": (128,),
        "blocks.0.0.conv_pwl.weight": (48, 128, 1, 1),
        "blocks.0.0.bn2.bias": (48,),
        "blocks.1.0.dw_start.conv.weight": (48, 1, 3, 3),
        "blocks.1.0.dw_start.bn.weight": (48,),
        "blocks.1.0.pw_exp.conv.weight": (192, 48, 1, 1),
        "blocks.1.0.dw_mid.conv.weight": (192, 1, 5, 5),
        "blocks.1.0.pw_proj.bn.running_var": (80,),
        "blocks.2.6.pw_exp.conv.weight": (320, 160, 1, 1),
        "blocks.3.10.dw_start.conv.weight": (256, 1, 5, 5),
        "blocks.4.0.conv.weight": (960, 256, 1, 1),
        "blocks.4.0.bn1.weight": (960,),
        "conv_head.weight": (1280, 960, 1, 1),
        "norm_head.bias": (1280,),
        "classifier.weight": (1000, 1280),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected
    assert "blocks.2.6.dw_start.conv.weight" not in state
    assert "blocks.2.5.dw_mid.conv.weight" not in state


def test_activations_follow_the_expansion_and_the_depthwise_layer_behind_it_alone() -> None:
    module = zoo.find("mobilenet_v4_conv_small_224").module(classes=7).eval()
    assert isinstance(module, nn.Sequential)
    block = module.blocks[2][0]
    assert [hasattr(block.get_submodule(part), "act") for part in ("dw_start", "pw_exp", "dw_mid", "pw_proj")] == [
        False, True, True, False,
    ]  # fmt: skip
    with torch.inference_mode():
        assert module(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
