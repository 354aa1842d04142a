"""Resident blocks against NVIDIA's rules, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

import targets
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import Occupancy, occupancy


@pytest.fixture(scope="module")
def unit() -> GpuUnit:
    return GpuUnit.of_target(targets.load("cuda-sm_80").to_json(), "float32")


@pytest.mark.parametrize(
    ("threads", "registers", "shared", "expected"),
    [
        (256, 32, 0, Occupancy(8, 1.0, "threads")),
        (32, 16, 0, Occupancy(32, 0.5, "blocks")),
        (256, 64, 0, Occupancy(4, 0.5, "registers")),
        (256, 255, 0, Occupancy(1, 0.125, "registers")),  # 8192 registers a warp: 8 warps
        (256, 65, 0, Occupancy(3, 0.375, "registers")),  # 72 are given: 28 warps
        (128, 32, 48 * 1024, Occupancy(3, 3 / 16, "shared memory")),  # 49 KiB of 164
        (33, 16, 0, Occupancy(32, 1.0, "threads")),  # a warp begun is a warp taken
    ],
)
def test_a100(unit: GpuUnit, threads: int, registers: int, shared: int, expected: Occupancy) -> None:
    assert occupancy(unit, threads, registers, shared) == expected


def test_a_block_that_does_not_fit(unit: GpuUnit) -> None:
    with pytest.raises(ValueError, match="fits no multiprocessor"):
        occupancy(unit, 1024, 128, 0)
    with pytest.raises(ValueError, match="fits no multiprocessor"):
        occupancy(unit, 128, 32, unit.shared_bytes_per_block + 1)


def test_before_ampere_the_system_takes_no_shared_memory(unit: GpuUnit) -> None:
    turing = replace(unit, compute_capability=75, shared_bytes_per_multiprocessor=65536, shared_bytes_per_block=65536)
    assert occupancy(turing, 64, 32, 16 * 1024).blocks == 4
    ampere = replace(turing, compute_capability=80)
    assert occupancy(ampere, 64, 32, 16 * 1024).blocks == 3
