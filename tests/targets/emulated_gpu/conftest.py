"""One emulated GPU for a process's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports test modules alone; these share emulated_driver

from emulated_driver import Gpu


@pytest.fixture(scope="session")
def gpu(tmp_path_factory: pytest.TempPathFactory) -> Gpu:
    return Gpu(tmp_path_factory.mktemp("emulated_gpu") / "counters.jsonl")
