"""A request's target as the pipeline needs it."""

from typing import Any

import pytest
import tvm

import targets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.host_cpu import host_cpu
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.target import Target

GPUS = [preset for preset in targets.available().values() if preset.gpu is not None]


def test_a_cpu() -> None:
    preset = targets.load("x86-64-v3")
    unit = Target.from_json(preset.to_json()).unit
    assert unit == VectorUnit(lanes=8, registers=16, features=preset.cpu_features, core="x86-64-v3")
    assert "avx2" in unit.features


@pytest.mark.parametrize("preset", GPUS, ids=lambda preset: preset.name)
def test_a_gpu(preset: targets.Target) -> None:
    target = Target.from_json(preset.to_json(), "float16")
    assert isinstance(target.unit, GpuUnit)
    assert target.unit.dtype == "float16"
    assert str(target.tvm.attrs["arch"]) == f"sm_{target.unit.compute_capability}"
    assert target.tvm.host is not None
    assert target.driver is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gpu": {"multiprocessors": 108}}, "figures: .*compute_capability"),
        ({"gpu": None}, "figures: .*compute_capability"),
        ({"tvm": {"kind": "cuda", "arch": "sm_80"}}, "lacks its host"),
    ],
)
def test_a_gpu_without_its_figures(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Target.from_json({**targets.load("a100").to_json(), **change})


def test_a_dtype_that_no_gpu_package_has() -> None:
    with pytest.raises(UserError, match="float32 or float16, not int8"):
        Target.from_json(targets.load("a100").to_json(), "int8")


def test_this_cpu_is_called_as_llvm_calls_it() -> None:
    assert host_cpu() in (None, tvm.target.codegen.llvm_get_system_cpu())
    assert Target.from_json(targets.load("native").to_json()).cpu == host_cpu()
    assert Target.from_json(targets.load("x86-64-v3").to_json()).cpu is None
