"""A request's target as the pipeline needs it."""

from typing import Any

import pytest

import targets
from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.hardware.cpu import CpuTarget
from tvm_pipeline.hardware.gpu_target import GpuTarget
from tvm_pipeline.hardware.target import target_of

GPUS = [preset for preset in targets.available().values() if preset.gpu is not None]


def test_a_cpu() -> None:
    assert isinstance(target_of(targets.load("x86-64-v3").to_json()), CpuTarget)


@pytest.mark.parametrize("preset", GPUS, ids=lambda preset: preset.name)
def test_a_gpu(preset: targets.Target) -> None:
    target = target_of(preset.to_json(), "float16")
    assert isinstance(target, GpuTarget)
    assert target.unit.dtype == "float16"
    assert str(target.tvm.attrs["arch"]) == f"sm_{target.unit.compute_capability}"
    assert target.tvm.host is not None
    assert target.driver is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gpu": {"multiprocessors": 108}}, "exactly the figures compute_capability"),
        ({"gpu": None}, "exactly the figures"),
        ({"tvm": {"kind": "cuda", "arch": "sm_80"}}, "lacks its host"),
    ],
)
def test_a_gpu_without_its_figures(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        target_of({**targets.load("a100").to_json(), **change})


def test_a_dtype_that_no_gpu_package_has() -> None:
    with pytest.raises(UserError, match="float32 or float16, not int8"):
        target_of(targets.load("a100").to_json(), "int8")
