"""Every GPU generator's schedules compute what NumPy computes, on the emulated GPU."""

from __future__ import annotations

import random

import pytest
from gpus.kernels import Case, deviations

import targets
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.target import Target
from tvm_pipeline.schedules import Decisions, generator_for

TOLERANCE = {"float32": 5e-6, "float16": 3e-3}

CHOICES = (("float32", True), ("float32", False), ("float16", True))
"""A dtype, and whether the generator's default is taken or another point of its space."""

LAYERS = (
    "conv2d 17x15x3->16 k3x3 s2 p1 bias relu6",
    "conv2d 9x8x24->40 k3x3 s1 p1 bias relu add",
    "conv2d n2 8x8x16->32 k1x1 s2 p0 bias",
    "grouped_conv2d 9x8x96->96 k3x3 s2 p1 d2 g4 bias add",
    "grouped_conv2d 9x8x32->64 k3x3 s1 p1 g32 bias relu",
    "pointwise 7x8x32->64 bias relu",
    "pointwise n2 5x7x24->40 bias add relu",
    "pointwise 7x7x144->96 bias add hard_swish",
    "pointwise 14x14x16->3 bias sigmoid",
    "pointwise 1x1x64->32 bias hard_sigmoid",
    "depthwise 14x13x40 k5x5 s2 p2 bias hard_swish",
    "depthwise 8x8x16 k3x3 s2x1 p0,1,1,1 bias silu",
    "depthwise 9x9x48 k3x3 s1 p2 d2 bias relu6",
    "separable 14x14x32->64 k3x3 s1 p1 bias relu then bias relu",
    "separable n2 13x11x24->40 k3x3 s2 p1 then bias add relu6",
    "dense 64->10 bias",
    "dense n2 48->33 bias relu",
    "global_average_pool 7x7x48",
    "max_pool n2 13x13x16 k3x3 s2 p1",
    "average_pool 9x9x16 k3x3 s2x1 p1",
)


def _unit(dtype: str) -> GpuUnit:
    unit = Target.from_json(targets.load("cuda-sm_80").to_json(), dtype).unit
    assert isinstance(unit, GpuUnit)
    return unit


def _another(layer: Layer, unit: GpuUnit) -> Decisions:
    """A sensible point of the space, the same in every run."""
    generator, chosen = generator_for(layer, unit), random.Random(str(layer))
    knobs = generator.knobs(layer, unit)
    while True:
        decisions = {name: chosen.choice(values) for name, values in knobs.items()}
        if generator.is_sensible(layer, unit, decisions):
            return decisions


@pytest.fixture(scope="module")
def errors() -> dict[tuple[str, str, bool], float]:
    """By layer, dtype, and whether the choice is the default."""
    keys = [(layer, dtype, default) for layer in LAYERS for dtype, default in CHOICES]
    cases = [
        Case(layer, dtype, None if default else _another(Layer.parse(layer), _unit(dtype)))
        for layer, dtype, default in keys
    ]
    return dict(zip(keys, deviations(cases), strict=True))


@pytest.mark.parametrize(("dtype", "default"), CHOICES, ids=("float32", "float32 tuned", "float16"))
@pytest.mark.parametrize("layer", LAYERS)
def test_schedule_computes_the_layer(
    layer: str, dtype: str, default: bool, errors: dict[tuple[str, str, bool], float]
) -> None:
    assert errors[layer, dtype, default] < TOLERANCE[dtype]
