"""What units answer of a layer."""

import pytest

import targets
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.target import Target
from tvm_pipeline.hardware.unit import CPU, GPU, Unit


def _unit(target: str, dtype: str = "float32") -> Unit:
    unit: Unit = Target.from_json(targets.load(target).to_json(), dtype).unit
    return unit


@pytest.mark.parametrize("preset", targets.available().values(), ids=lambda preset: preset.name)
def test_every_preset_has_a_unit_of_a_family(preset: targets.Target) -> None:
    unit = _unit(preset.name)
    assert (unit.family, unit.dtype) == (CPU if preset.gpu is None else GPU, "float32")
    assert (unit.compute_capability is None) == (preset.gpu is None)


@pytest.mark.parametrize(
    ("target", "dtype", "pays"),
    [
        ("x86-64-v4", "float32", True),
        ("x86-64-v3", "float32", False),
        ("rpi4", "float32", True),
        ("rpi3", "float32", False),
        ("rpi5", "float32", False),
        ("a100", "float32", False),
    ],
)
def test_strassen_pays_where_multiplying_takes_longest(target: str, dtype: str, pays: bool) -> None:
    assert _unit(target, dtype).strassen_pays(Layer.parse("pointwise 14x14x512->512")) == pays


def test_strassen_pays_where_threads_do_not_share_the_memory() -> None:
    shared: Unit = Target.from_json(targets.load("rpi4").to_json(), threads=4).unit
    assert not shared.strassen_pays(Layer.parse("pointwise 14x14x512->512"))


def test_strassen_pays_for_large_layers_alone() -> None:
    assert not _unit("rpi4").strassen_pays(Layer.parse("pointwise 14x14x256->512"))
    unit = _unit("x86-64-v4")
    assert not unit.strassen_pays(Layer.parse("pointwise 7x7x512->512"))
    assert not unit.strassen_pays(Layer.parse("pointwise 14x14x128->512"))
    assert not unit.strassen_pays(Layer.parse("pointwise 14x14x336->336"))  # 21 blocks


@pytest.mark.parametrize(
    ("target", "dtype", "layer", "kind"),
    [
        ("x86-64-v3", "float32", "pointwise 14x14x64->64", "overhanging_pointwise"),
        ("x86-64-v4", "float32", "pointwise 14x14x64->64", "pointwise"),
        ("a100", "float32", "pointwise 14x14x64->64", "pointwise"),
        ("x86-64-v4-bf16", "bfloat16", "conv2d 32x32x3->16 k3x3 s2 p1", "bfloat16_conv2d"),
        ("x86-64-v4-bf16", "bfloat16", "conv2d 30x30x3->16 k3x3 s2 p1", "conv2d"),
        ("x86-64-v4-bf16", "bfloat16", "conv2d 32x32x3->16 k3x3 s2 p1 d2", "conv2d"),
        ("x86-64-v4-bf16", "bfloat16", "conv2d 32x32x16->16 k3x3 s2 p1", "conv2d"),
        ("x86-64-v4-bf16", "float32", "conv2d 32x32x3->16 k3x3 s2 p1", "conv2d"),
        ("a100", "float16", "pointwise 14x14x64->64", "tensor_pointwise"),
        ("a100", "float16", "pointwise 14x14x24->64", "pointwise"),
        ("a100", "float16", "pointwise 2x2x64->64", "pointwise"),
        ("a100", "float16", "dense 64->64", "dense"),
    ],
)
def test_a_unit_names_the_kernels_of_its_own(target: str, dtype: str, layer: str, kind: str) -> None:
    assert _unit(target, dtype).kernel_kind(Layer.parse(layer)) == kind


@pytest.mark.parametrize(
    ("target", "layer", "fuses"),
    [
        ("x86-64-v3", "separable 56x56x128->64 k3x3 s1 p1 bias relu then bias relu", True),
        ("x86-64-v3", "separable 60x60x128->128 k3x3 s1 p1 bias relu then bias relu", True),
        ("x86-64-v3", "separable 56x56x128->128 k3x3 s1 p1 bias relu then bias relu", False),
        ("x86-64-v4", "separable 56x56x128->128 k3x3 s1 p1 bias relu then bias relu", True),
        ("x86-64-v3", "separable 7x7x1024->1024 k3x3 s1 p1 bias relu then bias relu", False),
        ("a100", "separable 112x112x32->64 k3x3 s1 p1 bias relu then bias relu", True),
        ("a100", "separable 56x56x128->128 k3x3 s1 p1 bias relu then bias relu", False),
    ],
)
def test_separable_layers_are_fused_where_that_pays(target: str, layer: str, fuses: bool) -> None:
    assert _unit(target).fuses(Layer.parse(layer)) == fuses
