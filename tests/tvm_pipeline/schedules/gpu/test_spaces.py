"""What GPU schedules launch: for any layer within a GPU's limits, and for MobileNetV1 enough to fill one."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import layers

import targets
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.gpu_model.counts import LaunchCounts
from tvm_pipeline.backends.gpu_model.walk import count_kernel
from tvm_pipeline.hardware.multiprocessor import MOST_THREADS, STATIC_SHARED_BYTES
from tvm_pipeline.hardware.target import GpuTarget, Target
from tvm_pipeline.schedules import Decisions
from tvm_pipeline.schedules.space import Space
from tvm_pipeline.workloads import workload_of

KINDS = ("conv2d", "pointwise", "depthwise", "separable", "dense", "global_average_pool", "max_pool", "average_pool")
DTYPES = ("float32", "float16")

V1 = {
    "conv2d 224x224x3->32 k3x3 s2 p1 bias relu": 1,
    "separable 112x112x32->64 k3x3 s1 p1 bias relu then bias relu": 1,
    "depthwise 112x112x64 k3x3 s2 p1 bias relu": 1,
    "pointwise 56x56x64->128 bias relu": 1,
    "depthwise 56x56x128 k3x3 s1 p1 bias relu": 1,
    "pointwise 56x56x128->128 bias relu": 1,
    "depthwise 56x56x128 k3x3 s2 p1 bias relu": 1,
    "pointwise 28x28x128->256 bias relu": 1,
    "depthwise 28x28x256 k3x3 s1 p1 bias relu": 1,
    "pointwise 28x28x256->256 bias relu": 1,
    "depthwise 28x28x256 k3x3 s2 p1 bias relu": 1,
    "pointwise 14x14x256->512 bias relu": 1,
    "depthwise 14x14x512 k3x3 s1 p1 bias relu": 5,
    "pointwise 14x14x512->512 bias relu": 5,
    "depthwise 14x14x512 k3x3 s2 p1 bias relu": 1,
    "pointwise 7x7x512->1024 bias relu": 1,
    "depthwise 7x7x1024 k3x3 s1 p1 bias relu": 1,
    "pointwise 7x7x1024->1024 bias relu": 1,
    "global_average_pool 7x7x1024": 1,
    "dense 1024->1000 bias": 1,
}
"""MobileNetV1 1.0-224 by layer (arXiv 1704.04861, table 1), and how often each is there."""


def _target(dtype: str, name: str = "cuda-sm_80") -> GpuTarget:
    return Target.from_json(targets.load(name).to_json(), dtype)


def _space(descriptor: str | Layer, target: GpuTarget) -> Space:
    layer = descriptor if isinstance(descriptor, Layer) else Layer.parse(descriptor)
    return Space.of(layer, target.unit)


def _counted(space: Space, target: GpuTarget, decisions: Decisions | None = None) -> LaunchCounts:
    choice = space.choice(decisions or space.generator.default(space.layer, space.unit))
    assert choice is not None
    (counts,) = count_kernel(space.schedule(choice).mod["main"], target.tvm)
    return counts


@pytest.fixture(scope="module")
def v1() -> dict[str, LaunchCounts]:
    target = _target("float32")
    return {descriptor: _counted(_space(descriptor, target), target) for descriptor in V1}


@pytest.mark.parametrize("descriptor", V1)
def test_v1_fills_an_a100_and_no_block_is_tiny(descriptor: str, v1: dict[str, LaunchCounts]) -> None:
    function = v1[descriptor].function
    assert function.blocks >= _target("float32").unit.multiprocessors
    assert function.threads >= 16
    layer = Layer.parse(descriptor)
    assert layer.out_height * layer.out_width * layer.out_channels >= 8 * function.blocks


def test_v1_asks_for_at_most_four_times_what_must_be_moved(v1: dict[str, LaunchCounts]) -> None:
    requested = sum(V1[descriptor] * counts.global_bytes for descriptor, counts in v1.items())
    needed = sum(
        4 * calls * sum(prod(shape) for shape in workload_of(Layer.parse(descriptor)).shapes)
        for descriptor, calls in V1.items()
    )
    assert sum(V1.values()) <= 30
    assert requested < 4 * needed


@pytest.mark.parametrize("name", ("cuda-sm_75", "cuda-sm_80", "cuda-sm_87", "cuda-sm_90"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_gpu_gets_defaults_of_its_own_space(name: str, dtype: str) -> None:
    target = _target(dtype, name)
    for descriptor in V1:
        space = _space(descriptor, target)
        default = space.generator.default(space.layer, space.unit)
        assert space.choice(default) is not None
        assert space.generator.is_sensible(space.layer, space.unit, default)
        assert name != "cuda-sm_75" or default.get("stages", 1) == 1, "it has no copies that run by themselves"


@settings(max_examples=15)
@given(layer=layers(KINDS, largest=20), dtype=st.sampled_from(DTYPES), data=st.data())
def test_any_layer_stays_within_the_limits_of_a_block(layer: Layer, dtype: str, data: st.DataObject) -> None:
    target = _target(dtype)
    space = _space(layer, target)
    default = space.generator.default(layer, target.unit)
    assert space.choice(default) is not None
    assert space.generator.is_sensible(layer, target.unit, default)
    drawn = {name: data.draw(st.sampled_from(values), label=name) for name, values in space.knobs.items()}
    decisions = drawn if space.generator.is_sensible(layer, target.unit, drawn) else default
    counts = _counted(space, target, decisions)
    assert counts.function.threads <= MOST_THREADS
    assert counts.shared_bytes <= STATIC_SHARED_BYTES


@pytest.mark.parametrize("descriptor", ("pointwise 14x14x512->512 bias relu", "pointwise 7x7x144->96 bias"))
def test_half_is_multiplied_by_tensor_cores(descriptor: str) -> None:
    target = _target("float16")
    counts = _counted(_space(descriptor, target), target)
    assert counts.arithmetic.tensor_flops >= 2 * Layer.parse(descriptor).mult_adds


@pytest.mark.parametrize("descriptor", ("pointwise 7x7x24->96 bias", "pointwise 1x1x64->64 bias relu"))
def test_half_that_fills_no_fragments_is_multiplied_by_cuda_cores(descriptor: str) -> None:
    target = _target("float16")
    assert _space(descriptor, target).generator.name == "gpu_pointwise"


@pytest.mark.parametrize(
    ("descriptor", "wrong"),
    (
        ("pointwise 14x14x64->64 bias", {"tile_m": 7, "thread_m": 2}),
        ("depthwise 14x14x64 k3x3 s1 p1 bias", {"rows": 7, "tile_h": 2}),
        ("conv2d 14x14x3->16 k3x3 s1 p1 bias", {"columns": 7, "thread_w": 2}),
        ("separable 14x14x16->16 k3x3 s1 p1 bias then bias", {"columns": 7, "thread_w": 2}),
    ),
)
def test_choices_that_do_not_fit_raise_what_the_tuner_expects(descriptor: str, wrong: Decisions) -> None:
    target = _target("float32")
    space = _space(descriptor, target)
    decisions = {**space.generator.default(space.layer, space.unit), **wrong}
    choice = space.choice(decisions)
    assert choice is not None
    assert not space.generator.is_sensible(space.layer, space.unit, decisions)
    with pytest.raises(ValueError, match="multiple"):
        space.schedule(choice)
