"""Prefetches stand where a schedule asks for them, name the weights of a later step, and change no result."""

from __future__ import annotations

import re

import pytest
import tvm
from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.codegen.prefetch_weights import prefetch_weights
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.annotations import PREFETCH_PANEL, PREFETCH_STEPS, PREFETCH_STRIPE
from tvm_pipeline.schedules.cpu.pointwise import (
    NO_PREFETCH,
    PREFETCH_STEP,
    PREFETCH_STEP_AND_PANEL,
    PREFETCH_STEPS_AHEAD,
)
from tvm_pipeline.schedules.space import Space

LAYER = Layer.parse("pointwise 8x8x32->64 bias relu")
ADDRESS = re.compile(r'"llvm\.prefetch".*?weight\[(.*?)\]\)?,')


def scheduled(target: CpuTarget, prefetch: int) -> tvm.IRModule:
    space = Space.of(LAYER, target.unit)
    decisions = {"tile_m": 4, "tile_n": 2, "outer": 1, "unroll_k": 1, "prefetch": prefetch}
    schedule = Schedule(space.module())
    space.generator.apply(schedule, LAYER, target.unit, decisions)
    return schedule.mod


@pytest.mark.parametrize(("prefetch", "expected"), [(NO_PREFETCH, 0), (PREFETCH_STEP, 2), (PREFETCH_STEP_AND_PANEL, 3)])
def test_one_prefetch_per_block_and_one_for_the_panel(target: CpuTarget, prefetch: int, expected: int) -> None:
    text = prefetch_weights(scheduled(target, prefetch)).script()
    assert text.count('"llvm.prefetch"') == expected
    assert PREFETCH_STEPS not in text
    assert PREFETCH_PANEL not in text


def test_addresses_are_those_of_a_later_step(target: CpuTarget) -> None:
    text = prefetch_weights(scheduled(target, PREFETCH_STEP_AND_PANEL)).script()
    first, second, panel = (match.group(1).rsplit(", ", 3) for match in ADDRESS.finditer(text))
    assert first[2].endswith(f"+ {PREFETCH_STEPS_AHEAD}")
    assert first[1:] == second[1:]
    assert first[0] != second[0]
    assert first[1] == panel[1]
    assert first[2] == f"{panel[2]} + {PREFETCH_STEPS_AHEAD}"


@pytest.mark.parametrize(("stride", "share"), [(1, 2), (2, 8)])
def test_steps_of_a_stripe_share_the_next_one(target: CpuTarget, stride: int, share: int) -> None:
    """A tile of 8 pixels takes 8 * stride^2 lines of the next stripe per channel block, in 4 steps over k."""
    layer = Layer.parse(f"separable 16x16x16->16 k3x3 s{stride} p1 bias relu then bias relu")
    space = Space.of(layer, target.unit)
    chosen = {"rows": 2, "window_w": 8, "tile_w": 8, "tile_n": 1, "outer": 0, "unroll_k": 4, "prefetch": 1}
    schedule = Schedule(space.module())
    space.generator.apply(schedule, layer, target.unit, chosen)
    text = prefetch_weights(schedule.mod).script()
    assert text.count('"llvm.prefetch"') == share
    assert len(set(re.findall(r'"llvm\.prefetch".*?data\[(.*?)\]\)?,', text))) == share
    assert PREFETCH_STRIPE not in text


def test_kernel_that_asks_for_none_stays_as_it_is(target: CpuTarget) -> None:
    module = scheduled(target, NO_PREFETCH)
    assert prefetch_weights(module).script() == module.script()
