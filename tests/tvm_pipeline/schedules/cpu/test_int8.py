"""Kernels of bytes equal NumPy's whole numbers, every one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tvm
from bytes_reference import ByteTensors, plain_result
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import layers

import targets
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED, TuningRecord
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.logs.check import check_records
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads import workload_of

VNNI, OTHERS = (
    [
        pytest.param(name, marks=pytest.mark.skipif(bool(targets.load(name).missing_here()), reason="lacking here"))
        for name in names
    ]
    for names in (("x86-64-v4-vnni", "x86-64-v3-vnni"), ("x86-64-v4", "x86-64-v3"))
)

TYPICAL = (
    "int8 pointwise 14x14x64->128 requantise",
    "int8 pointwise 7x7x1024->64 requantise",
    "int8 pointwise 17x17x24->40 requantise",
    "int8 pointwise n2 5x7x72->24 dequantise",
    "int8 pointwise 1x1x256->1000 dequantise",
    "int8 depthwise 15x15x32 k3x3 s1 p1 requantise",
    "int8 depthwise 14x13x40 k5x5 s2 p2 requantise",
    "int8 depthwise 7x19x24 k3x3 s2 p0,0,1,1 dequantise",
    "int8 depthwise 3x270x16 k3x3 s1 p1 requantise",
    "int8 depthwise 21x9x16 k9x7 s1 p4,3,4,3 requantise",
    "int8 depthwise 9x9x16 k3x3 s1 p2 d2 requantise",
    "int8 conv2d 17x15x3->16 k3x3 s2 p1 requantise",
    "int8 conv2d 9x40x2->40 k5x5 s2 p2 requantise",
    "int8 conv2d 13x1x1->16 k3x1 s1 p1,0,1,0 requantise",
    "int8 conv2d 4x3x3->16 k3x3 s1 p2,2,3,3 requantise",
    "int8 conv2d 9x9x3->16 k3x3 s1 p2 d2 requantise",
    "int8 conv2d n2 12x12x4->24 k3x3 s1 p0 dequantise",
)


@pytest.fixture(scope="module", params=VNNI)
def vnni(request: pytest.FixtureRequest) -> CpuTarget:
    return CpuTarget.from_json(targets.load(request.param).to_json())


@pytest.fixture(scope="module", params=[*VNNI, *OTHERS])
def multiplier(request: pytest.FixtureRequest) -> CpuTarget:
    return CpuTarget.from_json(targets.load(request.param).to_json())


def _run(layer: Layer, tensors: ByteTensors, target: CpuTarget, *, assembly: bool = False) -> np.ndarray | str:
    space, workload = Space.of(layer, target.unit), workload_of(layer, target.unit)
    built = tvm.compile(space.schedule(space.default).mod, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)
    if assembly:
        return str(built.mod.inspect_source("s"))
    output = tvm.runtime.tensor(np.zeros(workload.shapes[-1], workload.dtypes[-1]))
    built["main"](*map(tvm.runtime.tensor, tensors.arguments(layer, target.unit)), output)
    return plain_result(output.numpy(), layer)


@pytest.mark.parametrize("descriptor", TYPICAL)
def test_default_schedules(descriptor: str, multiplier: CpuTarget) -> None:
    layer = Layer.parse(descriptor)
    tensors = ByteTensors.random(layer)
    result = tensors.result(layer)
    np.testing.assert_array_equal(_run(layer, tensors, multiplier), result)
    assert len(np.unique(result)) > 20, "a result of ends alone would hide much"


@pytest.mark.parametrize("kind", ["pointwise 9x9x40->24", "depthwise 9x9x24 k3x3 s1 p1", "conv2d 9x9x3->16 k3x3 s1 p1"])
@pytest.mark.parametrize(("zero_in", "zero", "low", "high"), [(0, 0, 0, 255), (255, 255, 10, 200), (128, 0, 0, 6)])
def test_zero_points_and_limits_at_the_ends(
    kind: str, zero_in: int, zero: int, low: int, high: int, multiplier: CpuTarget
) -> None:
    layer = Layer.parse(f"int8 {kind} requantise")
    tensors = ByteTensors.random(layer, zero_in, zero, low, high)
    np.testing.assert_array_equal(_run(layer, tensors, multiplier), tensors.result(layer))


@given(layer=layers(("pointwise", "depthwise"), largest=9), end=st.sampled_from(("requantise", "dequantise")))
@settings(max_examples=15)
def test_any_layer(layer: Layer, end: str, multiplier: CpuTarget) -> None:
    layer = replace(layer, dtype="int8", epilogue=(end,))
    tensors = ByteTensors.random(layer)
    np.testing.assert_array_equal(_run(layer, tensors, multiplier), tensors.result(layer))


def test_sums_wrap_no_sooner_than_int32(multiplier: CpuTarget) -> None:
    """Bytes of 255 and weights of -127, 1024 of each: VPMADDUBSW would saturate at two."""
    layer = Layer.parse("int8 pointwise 2x2x1024->16 dequantise")
    tensors = replace(ByteTensors.random(layer), data=np.full((1, 1024, 2, 2), 255), zero_in=0)
    tensors = replace(tensors, weight=np.full((16, 1024, 1, 1), -127))
    np.testing.assert_array_equal(_run(layer, tensors, multiplier), tensors.result(layer))


def test_scales_that_leave_int32(multiplier: CpuTarget) -> None:
    layer = Layer.parse("int8 depthwise 9x9x24 k3x3 s1 p1 requantise")
    tensors = replace(ByteTensors.random(layer), scale=np.full(24, 1e9, np.float32))
    np.testing.assert_array_equal(_run(layer, tensors, multiplier), tensors.result(layer))


def test_records_from_before_windows_were_dot_products_still_apply(vnni: CpuTarget) -> None:
    vectors = {"tile_v": 1} if vnni.unit.lanes == 8 else {}
    made = {
        "depthwise 8x8x16 k3x3 s1 p1": (
            ("window/1", {"rows": 2, "tile_h": 2, "tile_w": 4, **vectors}),
            ("int8_window/1", {"tile_w": 4}),
        ),
        "conv2d 8x8x3->16 k3x3 s1 p1": (
            ("conv2d/2", {"tile_w": 4, "tile_n": 1, "outer": 0, "unroll_window": 1, **vectors}),
            ("int8_planes/1", {"rows": 2, "tile_w": 3, "tile_n": 1}),
        ),
    }
    records = [
        TuningRecord(f"int8 {layer} requantise", 1, generator, decisions, 1e-6, MEASURED, "old")
        for layer, choices in made.items()
        for generator, decisions in choices
    ]
    assert check_records(records, vnni, can_run=True, on_checked=lambda _: None).failed == ()


@pytest.mark.parametrize("descriptor", [TYPICAL[0], TYPICAL[5], "int8 conv2d 17x15x3->16 k3x3 s2 p1 requantise"])
def test_vnni_multiplies_fours(descriptor: str, vnni: CpuTarget) -> None:
    layer = Layer.parse(descriptor)
    assembly = _run(layer, ByteTensors.random(layer), vnni, assembly=True)
    assert "vpdpbusd" in assembly
    assert vnni.unit.lanes == 16 or "{vex}" in assembly, "AVX-VNNI's encoding: such CPUs have no AVX-512"


def test_pointwise_layers_are_multiplied_by_whole_vectors(multiplier: CpuTarget) -> None:
    layer = Layer.parse(TYPICAL[0])
    assembly = _run(layer, ByteTensors.random(layer), multiplier, assembly=True)
    assert any(word in assembly for word in ("vpdpbusd", "vpmaddwd"))
    assert "vpmaddubsw" not in assembly, "it saturates"
    assert "vpmulld" not in assembly
    assert any(word in assembly for word in ("vrndscaleps", "vroundps", "vcvtps2dq")), "results are rounded by vectors"
    assert multiplier.unit.lanes == 16 or "zmm" not in assembly


def test_every_choice_of_a_small_space(multiplier: CpuTarget) -> None:
    layer = Layer.parse("int8 pointwise 4x4x16->32 requantise")
    tensors, generator = ByteTensors.random(layer), generator_for(layer, multiplier.unit)
    knobs = generator.knobs(layer, multiplier.unit)
    choices = [
        dict(generator.default(layer, multiplier.unit), **{name: value}) for name in knobs for value in knobs[name]
    ]
    space, workload = Space.of(layer, multiplier.unit), workload_of(layer, multiplier.unit)
    for decisions in choices:
        choice = space.choice(decisions)
        assert choice is not None
        built = tvm.compile(space.schedule(choice).mod, target=multiplier.tvm, tir_pipeline=CODEGEN_PIPELINE)
        output = tvm.runtime.tensor(np.zeros(workload.shapes[-1], workload.dtypes[-1]))
        built["main"](*map(tvm.runtime.tensor, tensors.arguments(layer, multiplier.unit)), output)
        np.testing.assert_array_equal(plain_result(output.numpy(), layer), tensors.result(layer), str(decisions))
