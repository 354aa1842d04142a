"""Every generator's schedules compute what NumPy computes, on all vector units."""

from __future__ import annotations

import random
import re

import pytest
import tvm
from hypothesis import given
from hypothesis import strategies as st
from kernel_reference import deviation
from layers import layers

from mobilenet_tvm.base.layer import KINDS, Layer
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Choice, Space

TOLERANCE = 2e-6

TYPICAL = (
    "conv2d 17x15x3->16 k3x3 s2 p1 bias relu6",
    "conv2d 12x12x3->24 k3x3 s2 p0,0,1,1 bias hard_swish",
    "conv2d 9x8x24->40 k3x3 s1 p1 bias relu add",
    "conv2d n2 8x8x16->32 k1x1 s2 p0 bias",
    "conv2d 11x11x16->20 k3x3 s1 p2 d2 bias relu",
    "grouped_conv2d 14x14x64->64 k3x3 s1 p1 g16 bias relu",
    "grouped_conv2d 9x8x96->96 k3x3 s2 p1 d2 g4 bias add",
    "grouped_conv2d n2 9x8x240->60 k1x1 s1 p0 g3 bias",
    "grouped_conv2d 9x8x32->64 k3x3 s2 p1 g32 bias",
    "grouped_conv2d 7x6x15->30 k3x1 s1 p1,0,1,0 g5",
    "pointwise 7x8x32->64 bias relu",
    "pointwise n2 5x7x24->40 bias add relu",
    "pointwise 7x7x32->32 bias relu",
    "pointwise 14x14x16->3 bias sigmoid",
    "strassen 7x7x32->64 bias relu",
    "strassen n2 4x5x120->32 bias add hard_swish",
    "strassen 14x14x256->256 bias relu6",
    "depthwise 14x13x40 k5x5 s2 p2 bias hard_swish",
    "depthwise 15x15x32 k3x3 s1 p1 bias relu6",
    "depthwise 8x8x16 k3x3 s2x1 p0,1,1,1 bias silu",
    "separable 14x14x32->64 k3x3 s1 p1 bias relu then bias relu",
    "separable n2 13x11x24->40 k3x3 s2 p1 then bias add relu6",
    "separable 9x9x16->24 k5x5 s1 p2 bias hard_swish then bias",
    "pointwise 7x6x72->120 bias hard_swish",
    "separable 8x8x72->40 k3x3 s1 p1 bias hard_sigmoid then bias",
    "conv2d 5x21x16->32 k3x3 s1 p0 bias relu",  # 19 columns make no good tiles
    "conv2d 5x39x3->24 k3x3 s2 p0 bias",
    "grouped_conv2d 5x19x64->64 k3x3 s1 p0,1,0,1 g4 bias add",
    "grouped_conv2d 5x38x48->48 k2x2 s2 p0 g24 bias",
    "pointwise 17x17x24->32 bias add relu",
    "depthwise n2 7x19x24 k3x3 s1 p0 bias relu",
    "depthwise 14x12x8 k13x13 s1 p6 bias",  # too large a window to be unrolled
    "max_pool 7x37x16 k3x3 s2 p0",
    "dense 64->10 bias",
    "dense n2 48->33 bias relu",
    "global_average_pool 7x7x48",
    "global_average_pool n2 13x11x40",
    "max_pool n2 13x13x16 k3x3 s2 p1",
    "max_pool 12x12x24 k2x2 s2 p0,0,1,1",
    "average_pool 9x9x16 k3x3 s2x1 p1",
)


def sensible_choices(space: Space, target: CpuTarget) -> list[Choice]:
    """All points of the space that its generator would measure."""
    found: list[Choice] = [()]
    for values in space.knobs.values():
        found = [(*choice, value) for choice in found for value in values]
    return [one for one in found if space.generator.is_sensible(space.layer, target.unit, space.decisions(one))]


def space_of(layer: Layer, target: CpuTarget) -> Space:
    return Space.of(layer, target.unit)


@pytest.mark.parametrize("descriptor", TYPICAL)
def test_default_schedule_computes_the_layer(descriptor: str, each_target: CpuTarget) -> None:
    layer = Layer.parse(descriptor)
    default = generator_for(layer, each_target.unit).default(layer, each_target.unit)
    assert deviation(layer, each_target.tvm, each_target.unit, default) < TOLERANCE


@pytest.mark.parametrize("descriptor", TYPICAL)
def test_sensible_choices_compute_the_layer(descriptor: str, each_target: CpuTarget) -> None:
    layer = Layer.parse(descriptor)
    space = space_of(layer, each_target)
    choices = sensible_choices(space, each_target)
    for choice in random.Random(descriptor).sample(choices, min(2, len(choices))):
        decisions = space.decisions(choice)
        assert deviation(layer, each_target.tvm, each_target.unit, decisions) < TOLERANCE, dict(decisions)


@pytest.mark.parametrize("descriptor", TYPICAL)
def test_default_is_a_sensible_point_of_the_space(descriptor: str, each_target: CpuTarget) -> None:
    layer = Layer.parse(descriptor)
    generator = generator_for(layer, each_target.unit)
    default = generator.default(layer, each_target.unit)
    assert space_of(layer, each_target).choice(default) is not None
    assert generator.is_sensible(layer, each_target.unit, default)


@pytest.mark.parametrize("descriptor", TYPICAL)
def test_default_schedule_builds_for_a_board(descriptor: str, board: CpuTarget) -> None:
    layer = Layer.parse(descriptor)
    space = space_of(layer, board)
    choice = space.choice(generator_for(layer, board.unit).default(layer, board.unit))
    assert choice is not None
    built = tvm.compile(space.schedule(choice).mod, target=board.tvm, tir_pipeline=CODEGEN_PIPELINE)
    assembly = built.mod.inspect_source("asm")
    if layer.kind in ("pointwise", "depthwise"):
        assert re.search(r"\bfmla\tv\d+\.4s", assembly), "no multiply-add of four lanes"


@given(layer=layers(KINDS), data=st.data())
def test_any_layer_by_any_sensible_choice(layer: Layer, data: st.DataObject, each_target: CpuTarget) -> None:
    space = space_of(layer, each_target)
    default = generator_for(layer, each_target.unit).default(layer, each_target.unit)
    assert space.choice(default) is not None
    choices = [space.decisions(choice) for choice in sensible_choices(space, each_target)]
    decisions = data.draw(st.sampled_from([default, *choices]))
    assert deviation(layer, each_target.tvm, each_target.unit, decisions) < TOLERANCE
