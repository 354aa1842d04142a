"""What the rule for GPUs reckons with: published figures, and by how much it distrusts them."""

from __future__ import annotations

import pytest

import targets
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import GLOBAL_CYCLES, L2_BYTES_PER_CYCLE
from tvm_pipeline.schedules.gpu.block_cost import (
    BLOCK_CYCLES,
    LATENCY_CAUTION,
    REACHED_BYTES_PER_CYCLE,
    REACHED_LATENCY,
    Tile,
)
from tvm_pipeline.schedules.gpu.thread_block import ThreadBlock

THREADS = ThreadBlock(1, 8, 32)


@pytest.fixture(scope="module")
def unit() -> GpuUnit:
    return GpuUnit.of_target(targets.load("cuda-sm_80").to_json(), "float32")


def test_caution_is_a_factor() -> None:
    assert (REACHED_BYTES_PER_CYCLE, REACHED_LATENCY) == (12.0, 600.0)
    assert L2_BYTES_PER_CYCLE / 4 < REACHED_BYTES_PER_CYCLE < L2_BYTES_PER_CYCLE / 3
    assert GLOBAL_CYCLES * LATENCY_CAUTION == REACHED_LATENCY


def test_a_block_per_multiprocessor_that_keeps_the_cache_busy(unit: GpuUnit) -> None:
    """Cycles: it moves 12 bytes a cycle, waits for one round of memory, and is started and ended."""
    tile = Tile(THREADS, unit.multiprocessors, shared=0, requested=12000.0, at_once=12000.0, busy=500.0)
    assert tile.cycles(unit) == pytest.approx(500 + 1000 + 1.25 * 600 + BLOCK_CYCLES)


def test_few_bytes_on_their_way_take_longer(unit: GpuUnit) -> None:
    many, few = (Tile(THREADS, 108, 0, 12000.0, at_once, 500.0).cycles(unit) for at_once in (7200.0, 3600.0))
    assert few - many == pytest.approx(1000)


def test_idle_multiprocessors_cost(unit: GpuUnit) -> None:
    some, all_of_them = (Tile(THREADS, blocks, 0, 0.0, 1e5, 500.0).cycles(unit) for blocks in (107, 108))
    assert some - all_of_them == pytest.approx(500)
