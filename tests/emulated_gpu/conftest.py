"""One emulated GPU for a process's tests."""

from __future__ import annotations

import pytest
from gpus.emulated_driver import Gpu


@pytest.fixture(scope="session")
def gpu(tmp_path_factory: pytest.TempPathFactory) -> Gpu:
    return Gpu(tmp_path_factory.mktemp("emulated_gpu") / "counters.jsonl")
