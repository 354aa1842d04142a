"""Kernels of bfloat16: what NumPy computes of the rounded operands, rounded once more; NaN and infinity stay."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest
import tvm
from hypothesis import given, settings
from kernel_reference import Tensors, deviation
from layers import layers
from tvm import te

import targets
from mobilenet_tvm.base.layer import KINDS, Layer
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads.bfloat16 import from_bfloat16, to_bfloat16

PRESET = "x86-64-v4-bf16"
HALF_ULP = 2.0**-8
"""Of the result's own rounding, as a share of it; sums of float32 differ by much less."""
ALL = tuple(kind for kind in KINDS if kind not in ("strassen", "separable"))

TYPICAL = (
    "pointwise 14x14x64->128 bias relu",
    "pointwise 7x7x96->160 bias relu6",
    "pointwise 17x17x24->40 bias add",
    "pointwise n2 5x7x72->24 bias hard_swish",
    "pointwise 1x1x16->48 bias hard_sigmoid",
    "conv2d 17x15x3->16 k3x3 s2 p1 bias relu",
    "conv2d 17x32x3->16 k3x3 s2 p1 bias relu",
    "conv2d 17x32x3->16 k3x3 s2 p0,0,1,1 bias relu6",
    "conv2d n2 11x48x3->40 k5x4 s1 p2,1,1,2 bias hard_swish",
    "conv2d 9x8x24->40 k3x3 s1 p1 bias relu add",
    "depthwise 15x15x32 k3x3 s1 p1 bias relu6",
    "depthwise 14x13x40 k5x5 s2 p2 bias hard_swish",
    "grouped_conv2d 9x8x96->96 k3x3 s2 p1 g4 bias add",
    "max_pool n2 13x13x16 k3x3 s2 p1",
    "average_pool 9x9x24 k3x3 s1 p1",
    "global_average_pool 7x7x48",
    "dense n2 48->33 bias relu",
)

pytestmark = pytest.mark.skipif(bool(targets.load(PRESET).missing_here()), reason="this CPU has no AVX512-BF16")


@pytest.fixture(scope="module")
def bfloat16() -> CpuTarget:
    return CpuTarget.from_json(targets.load(PRESET).to_json(), "bfloat16")


def _deviation(layer: Layer, target: CpuTarget) -> float:
    decisions = generator_for(layer, target.unit).default(layer, target.unit)
    return deviation(layer, target.tvm, target.unit, decisions, Tensors.random(layer).rounded())


@pytest.mark.parametrize("descriptor", TYPICAL)
def test_default_schedules(descriptor: str, bfloat16: CpuTarget) -> None:
    assert _deviation(Layer.parse(descriptor), bfloat16) <= HALF_ULP


@given(layer=layers(ALL, largest=9))
@settings(max_examples=15)
def test_any_layer(layer: Layer, bfloat16: CpuTarget) -> None:
    assert _deviation(layer, bfloat16) <= HALF_ULP


@pytest.mark.parametrize("descriptor", ["pointwise 14x14x64->128 bias relu", "conv2d 17x32x3->16 k3x3 s2 p1 bias relu"])
def test_products_of_pairs(descriptor: str, bfloat16: CpuTarget) -> None:
    space = Space.of(Layer.parse(descriptor), bfloat16.unit)
    built = tvm.compile(space.schedule(space.default).mod, target=bfloat16.tvm, tir_pipeline=CODEGEN_PIPELINE)
    assembly = built.mod.inspect_source("s")
    assert "vdpbf16ps" in assembly
    assert "vcvtneps2bf16" in assembly
    assert "vfmadd" not in assembly
    assert not re.search(r"vcvtneps2bf16\s+%xmm", assembly), "values are rounded by whole vectors"


def test_every_bfloat16_is_rounded_to_itself(bfloat16: CpuTarget) -> None:
    """All 65,536 but denormal ones, which the instruction takes for zero, and NaN, of which one is enough."""
    bits = np.arange(1 << 16, dtype=np.uint16)
    wide, back = _through(bits, bfloat16)
    exact = bits.view(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(wide, exact)
    is_nan, is_denormal = np.isnan(exact), (bits & 0x7F80) == 0
    assert np.isnan(back.view(ml_dtypes.bfloat16)[is_nan].astype(np.float32)).all()
    np.testing.assert_array_equal(back[~is_nan & ~is_denormal], bits[~is_nan & ~is_denormal])


def _through(bits: np.ndarray, target: CpuTarget) -> tuple[np.ndarray, np.ndarray]:
    """As float32, and rounded again."""
    data = te.placeholder(bits.shape, "uint16", "data")
    wide = from_bfloat16(data)
    schedule = tvm.s_tir.Schedule(te.create_prim_func([data, wide, to_bfloat16(wide)]))
    for block in schedule.get_child_blocks(schedule.get_sblock("root")):
        schedule.vectorize(schedule.split(schedule.get_loops(block)[0], [None, 16])[1])
    built = tvm.compile(schedule.mod, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)
    results = [tvm.runtime.tensor(np.zeros(bits.shape, dtype)) for dtype in ("float32", "uint16")]
    built["main"](tvm.runtime.tensor(bits), *results)
    return results[0].numpy(), results[1].numpy()
