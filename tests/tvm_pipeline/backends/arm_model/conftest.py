"""The plugin and the cores, for all of the static model's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tvm_pipeline.backends.arm_model.core import CORES, Core
from tvm_pipeline.backends.arm_model.program import build_plugin


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_plugin(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="session")
def a72() -> Core:
    return CORES["cortex-a72"]


@pytest.fixture(scope="session")
def a53() -> Core:
    return CORES["cortex-a53"]
