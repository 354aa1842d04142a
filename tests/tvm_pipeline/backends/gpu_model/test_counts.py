"""Distinct sectors found by sampling, against what was drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from tvm_pipeline.backends.gpu_model.counts import Footprint

ROWS = 256


def footprint(population: int, asked: float) -> float:
    """Of a block whose warps read one random sector per request."""
    addresses = np.random.default_rng(0).integers(0, population, (ROWS, 1, 1)) * 32
    found = Footprint()
    found.add("a", np.broadcast_to(addresses, (ROWS, 32, 1)), np.ones((ROWS, 32), dtype=bool), asked)
    return found.bytes() / 32


@pytest.mark.parametrize("population", [1, 16, 256, 1024])
def test_the_population_is_found(population: int) -> None:
    assert footprint(population, 1e6) == pytest.approx(population, rel=0.15)


def test_no_more_than_is_asked_for() -> None:
    assert footprint(1 << 30, 700) == 700


def test_lanes_that_take_no_part() -> None:
    found = Footprint()
    found.add("a", np.zeros((ROWS, 32, 1), dtype=np.int64), np.zeros((ROWS, 32), dtype=bool), 0)
    assert found.bytes() == 0
