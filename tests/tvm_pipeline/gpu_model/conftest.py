"""A GPU, for all tests of its model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import targets
from tvm_pipeline.gpu_target import GpuTarget
from tvm_pipeline.gpu_unit import GpuUnit

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def a100() -> GpuTarget:
    return GpuTarget.from_json(targets.load("cuda-sm_80").to_json())


@pytest.fixture(scope="session")
def unit(a100: GpuTarget) -> GpuUnit:
    return a100.unit
