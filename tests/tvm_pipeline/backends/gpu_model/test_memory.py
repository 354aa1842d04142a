"""Sectors and banks of single requests."""

from __future__ import annotations

import numpy as np
import pytest

from tvm_pipeline.backends.gpu_model.memory import WarpCost, global_cost, shared_cost

LANES = np.arange(32)
ALL = np.ones((1, 32), dtype=bool)


def request(words: np.ndarray, vector: int = 1) -> np.ndarray:
    """``[1, lanes, vector]`` from each lane's first element."""
    return (words[:, None] + np.arange(vector))[None]


@pytest.mark.parametrize(
    ("words", "vector", "expected"),
    [
        (LANES, 1, WarpCost(4, 1)),  # a line
        (LANES + 4, 1, WarpCost(5, 2)),  # a line, four elements late
        (LANES * 0, 1, WarpCost(1, 1)),
        (LANES * 8, 1, WarpCost(32, 8)),
        (LANES * 4, 4, WarpCost(16, 4)),
    ],
)
def test_global(words: np.ndarray, vector: int, expected: WarpCost) -> None:
    assert global_cost(request(words, vector), 4, ALL) == expected


@pytest.mark.parametrize(
    ("words", "vector", "passes"),
    [
        (LANES, 1, 1),
        (LANES * 0, 1, 1),  # all the same word
        (LANES * 2, 1, 2),
        (LANES * 32, 1, 32),
        (LANES * 33, 1, 1),  # padded rows
        (LANES * 4, 4, 4),  # 16 bytes per lane: four quarters
        (LANES // 16 * 32, 1, 2),  # two words of one bank
        (LANES * 0, 4, 1),  # all the same four words
        (LANES // 8 * 4, 4, 1),  # four vectors, each by eight neighbours
        (LANES % 8 * 4, 4, 4),  # eight vectors, by each quarter anew
        (LANES // 2 * 4, 4, 2),  # pairs of neighbours
    ],
)
def test_shared(words: np.ndarray, vector: int, passes: int) -> None:
    assert shared_cost(request(words, vector), 4, ALL).wavefronts == passes


def test_halves_share_words() -> None:
    assert shared_cost(request(LANES), 2, ALL).wavefronts == 1
    assert global_cost(request(LANES), 2, ALL).sectors == 2


def test_only_lanes_that_take_part_count() -> None:
    some = (LANES < 8)[None]
    assert global_cost(request(LANES * 8), 4, some).sectors == 8
    assert shared_cost(request(LANES * 32), 4, some).wavefronts == 8
    assert global_cost(request(LANES), 4, ~ALL) == WarpCost(0, 0)
