"""A GPU, for all tests of its model."""

from __future__ import annotations

import pytest

import targets
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.target import GpuTarget


@pytest.fixture(scope="session")
def a100() -> GpuTarget:
    return GpuTarget.from_json(targets.load("cuda-sm_80").to_json())


@pytest.fixture(scope="session")
def unit(a100: GpuTarget) -> GpuUnit:
    return a100.unit
