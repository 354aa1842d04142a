"""MobileNetV1 against the paper (arXiv 1704.04861): its tables, exact figures, and its misprints."""

from __future__ import annotations

from math import ceil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from frontend import checkpoints, zoo
from frontend.cost import cost_of, cost_of_module
from frontend.networks.mobilenet_v1 import BLOCKS, RESOLUTIONS, WIDTHS, MobileNetV1, from_timm, scaled

# Mult-Adds in millions by width and resolution; parameters in millions (Tables 6 and 7, in more digits).
MULT_ADDS = {
    1.0: (568.74, 418.12, 290.68, 186.40),
    0.75: (325.40, 239.27, 166.40, 106.77),
    0.5: (149.50, 109.97, 76.52, 49.16),
    0.25: (41.03, 30.21, 21.06, 13.57),
}
PARAMETERS = {1.0: 4.210, 0.75: 2.569, 0.5: 1.321, 0.25: 0.465}


@pytest.mark.parametrize("width", WIDTHS)
def test_all_sixteen_models_cost_what_the_paper_says(width: float) -> None:
    for resolution, mult_adds in zip(RESOLUTIONS, MULT_ADDS[width], strict=True):
        cost = cost_of(zoo.find(f"mobilenet_v1_{width}_{resolution}"))
        assert round(cost.mult_adds / 1e6, 2) == mult_adds
        assert round(cost.parameters / 1e6, 3) == PARAMETERS[width]


def test_the_exact_figures_of_the_full_network() -> None:
    cost = cost_of(zoo.find("mobilenet_v1_1.0_224"))
    assert (cost.mult_adds, cost.parameters) == (568_740_352, 4_210_088)


def test_table_2_shares_by_kind_of_layer() -> None:
    cost = cost_of(zoo.find("mobilenet_v1_1.0_224"))
    printed = {
        "pointwise": (94.86, 74.59),
        "depthwise": (3.06, 1.06),
        "conv2d": (1.91, 0.02),  # the paper prints 1.19, and its column adds up to 99.29
        "dense": (0.18, 24.33),
    }
    assert [share.kind for share in cost.shares] == list(printed)
    for share, (mult_adds, parameters) in zip(cost.shares, printed.values(), strict=True):
        assert round(share.mult_adds_share * 100, 2) == mult_adds
        # This table leaves out the classifier's 1000 biases, which the paper's totals (4.2 M) do not tell apart.
        weights = share.parameters_share * cost.parameters - (1000 if share.kind == "dense" else 0)
        assert round(weights / (cost.parameters - 1000) * 100, 2) == parameters


def test_table_4_full_convolutions() -> None:
    cost = cost_of(zoo.find("mobilenet_v1_1.0_224_full_conv"))
    dense = next(layer for layer in cost.layers if layer.kind == "dense")
    assert cost.mult_adds == 4_867_293_184
    assert (cost.mult_adds - dense.mult_adds) // 10**6 == 4866  # the paper's figure leaves the classifier's million out
    assert round(cost.parameters / 1e6, 1) == 29.3
    assert {layer.kind for layer in cost.layers} == {"conv2d", "pool", "dense"}


def test_table_5_shallow_against_narrow() -> None:
    shallow = cost_of(zoo.find("mobilenet_v1_1.0_224_shallow"))
    narrow = cost_of(zoo.find("mobilenet_v1_0.75_224"))
    assert (round(shallow.mult_adds / 1e6), round(shallow.parameters / 1e6, 1)) == (307, 2.9)
    assert (round(narrow.mult_adds / 1e6), round(narrow.parameters / 1e6, 1)) == (325, 2.6)


def test_the_last_depthwise_layer_keeps_its_size() -> None:
    layers = cost_of(zoo.find("mobilenet_v1_1.0_224")).layers
    last = [layer for layer in layers if layer.kind == "depthwise"][-1]  # printed "s2", yet 7x7 in and out
    assert (last.input, last.output, last.stride) == ((1024, 7, 7), (1024, 7, 7), 1)
    assert next(layer for layer in layers if layer.kind == "pool").input == (1024, 7, 7)


def test_every_separable_block_saves_what_the_formula_says() -> None:
    blocks = cost_of(zoo.find("mobilenet_v1_0.5_160")).separable_blocks
    assert len(blocks) == 13
    for block, (outputs, _) in zip(blocks, BLOCKS, strict=True):
        assert block.ratio == pytest.approx(1 / scaled(outputs, 0.5) + 1 / 9, rel=1e-12)
        assert block.formula == f"1/{scaled(outputs, 0.5)} + 1/3^2"
        assert block.mult_adds / block.full_convolution_mult_adds == block.ratio
    assert blocks[0].name == "blocks.0"


@settings(max_examples=12, deadline=None)
@given(width=st.integers(1, 24).map(lambda n: n / 16), resolution=st.integers(32, 160), classes=st.integers(1, 64))
def test_shapes_and_cost_follow_from_width_and_resolution(width: float, resolution: int, classes: int) -> None:
    cost = cost_of_module(MobileNetV1(width, classes).eval(), (3, resolution, resolution))
    side, channels = ceil(resolution / 2), scaled(32, width)
    expected = 27 * channels * side**2
    for outputs, stride in BLOCKS:
        side = ceil(side / stride)
        expected += (9 * channels + channels * scaled(outputs, width)) * side**2
        channels = scaled(outputs, width)
    assert cost.mult_adds == expected + channels * classes
    assert cost.layers[-1].output == (classes,)
    assert all(layer.output[0] >= 8 for layer in cost.layers[:-1])


def test_the_activation_can_be_relu6() -> None:
    relu, relu6 = (zoo.find("mobilenet_v1_0.25_128").module(activation=name) for name in ("relu", "relu6"))
    assert sum(type(layer) is nn.ReLU for layer in relu.modules()) == 27
    assert sum(type(layer) is nn.ReLU6 for layer in relu6.modules()) == 27


def timm_names() -> list[str]:
    """The names of timm's ``mobilenetv1_100``, spelt out."""
    bn = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    names = ["conv_stem.weight", *(f"bn1.{part}" for part in bn)]
    for stage, repetitions in enumerate((1, 2, 2, 6, 2)):
        for block in (f"blocks.{stage}.{repetition}" for repetition in range(repetitions)):
            names += [f"{block}.conv_dw.weight", *(f"{block}.bn1.{part}" for part in bn)]
            names += [f"{block}.conv_pw.weight", *(f"{block}.bn2.{part}" for part in bn)]
    return [*names, "classifier.weight", "classifier.bias"]


def test_a_checkpoint_in_timms_naming_loads() -> None:
    entry = zoo.find("mobilenet_v1_1.0_128")
    torch.manual_seed(0)
    source, target = entry.module().eval(), entry.module().eval()
    # timm has the same layers in the same order, so the order says which tensor is which.
    state = dict(zip(timm_names(), source.state_dict().values(), strict=True))
    renamed, naming = checkpoints.translate(entry, state)
    assert naming is not None
    assert (naming.title, naming.activation) == ("timm", "relu6")
    checkpoints.load(target, renamed, "timm's")
    image = torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        assert torch.equal(source(image), target(image))


def test_our_own_naming_is_not_taken_for_timms() -> None:
    assert from_timm(zoo.find("mobilenet_v1_0.25_128").module().state_dict()) is None


def test_a_foreign_tensor_in_timms_naming_keeps_its_name() -> None:
    renamed = from_timm({"conv_stem.weight": torch.zeros(1), "blocks.7.0.conv_dw.weight": torch.zeros(1)})
    assert renamed is not None
    assert set(renamed) == {"conv1.conv.weight", "blocks.7.0.conv_dw.weight"}
