"""A layer's descriptor says everything about it, and nothing else is a descriptor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import layers

from mobilenet_tvm.base.layer import DTYPES, KINDS, Layer, LayerSyntaxError


@given(layers(KINDS, largest=300), st.sampled_from(DTYPES))
@settings(max_examples=300)
def test_descriptor_is_read_back_as_the_same_layer(layer: Layer, dtype: str) -> None:
    layer = replace(layer, dtype=dtype)
    assert Layer.parse(str(layer)) == layer


def test_descriptors_read_as_documented() -> None:
    layer = Layer("conv2d", 2, 9, 8, 3, 16, (3, 5), (2, 1), (0, 1, 2, 3), (1, 2), ("bias", "relu6"))
    assert str(layer) == "conv2d n2 9x8x3->16 k3x5 s2x1 p0,1,2,3 d1x2 bias relu6"
    assert str(Layer("pointwise", 1, 56, 56, 128, 128, epilogue=("relu",))) == "pointwise 56x56x128->128 relu"
    assert str(Layer("pointwise", 1, 7, 7, 8, 16, dtype="int8")) == "int8 pointwise 7x7x8->16"
    separable = Layer("separable", 1, 9, 9, 8, 16, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), ("bias",), ("bias", "relu"))
    assert str(separable) == "separable 9x9x8->16 k3x3 s2 p1 bias relu then bias"
    assert str(separable.depthwise_part) == "depthwise 9x9x8 k3x3 s2 p1 bias relu"
    assert str(separable.pointwise_part) == "pointwise 5x5x8->16 bias"
    groups = Layer("grouped_conv2d", 1, 9, 9, 8, 16, (3, 3), padding=(1, 1, 1, 1), epilogue=("bias",), groups=4)
    assert str(groups) == "grouped_conv2d 9x9x8->16 k3x3 s1 p1 g4 bias"
    assert str(Layer("dense", 1, 1, 1, 1024, 1000, epilogue=("bias",))) == "dense 1024->1000 bias"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pointwise",
        "winograd 8x8x16->16",
        "pointwise 8x8x16->16 swish",
        "pointwise 8x8x16->16  relu",
        "pointwise 8x8x16->16 relu ",
        "Pointwise 8x8x16->16",
        "conv2d 8x8x16->16 k3 s1 p1",
        "conv2d 8x8x16->16 k3x3 s1 p1,1",
        "conv2d 8x8x-16->16 k3x3 s1 p1",
        "conv2d 8x8x16->16",  # a window left out
        "pointwise 8x8x16->16 k3x3 s1 p1",  # a window too many
        "depthwise 8x8x16->32 k3x3 s1 p1",
        "pointwise 8x8x0->16",
        "conv2d 8x8x16->16 k3x3 s0 p1",
        "conv2d 2x2x16->16 k5x5 s1 p0",  # the window is larger than the image
        "dense 8x8x16->16",
        "float32 dense 16->16",  # goes without saying
        "int4 dense 16->16",
        "conv2d 8x8x16->16 k3x3 s1 p1 g4",
        "grouped_conv2d 8x8x16->16 k3x3 s1 p1",
        "grouped_conv2d 8x8x16->16 k3x3 s1 p1 g0",
        "grouped_conv2d 8x8x16->15 k3x3 s1 p1 g4",  # no whole share
        "pointwise n1 8x8x16->16",
        "pointwise 08x8x16->16",
        "separable 8x8x16->16 k3x3 s1 p1 bias relu",  # which half's?
        "depthwise 8x8x16 k3x3 s1 p1 bias then relu",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(LayerSyntaxError):
        Layer.parse(text)


def test_output_size_and_work() -> None:
    layer = Layer.parse("conv2d 224x224x3->32 k3x3 s2 p0,0,1,1")
    assert (layer.out_height, layer.out_width) == (112, 112)
    assert layer.mult_adds == 112 * 112 * 32 * 3 * 3 * 3
    assert Layer.parse("grouped_conv2d 9x9x32->64 k3x3 s1 p1 g8").mult_adds == 9 * 9 * 64 * 4 * 9
    assert Layer.parse("depthwise 112x112x32 k3x3 s1 p1").mult_adds == 112 * 112 * 32 * 9
    assert Layer.parse("separable 9x9x8->16 k3x3 s2 p1 then").mult_adds == 5 * 5 * 8 * (9 + 16)
    assert Layer.parse("conv2d 9x9x8->8 k3x3 s1 p0 d2").out_height == 5


def test_anchor_is_the_layer_with_nothing_fused_behind_it() -> None:
    assert str(Layer.parse("depthwise 8x8x16 k3x3 s1 p1 bias relu").anchor) == "depthwise 8x8x16 k3x3 s1 p1"
