"""Accumulators live in registers: no kernel asks the runtime for memory, tile after tile."""

from __future__ import annotations

import tvm
from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Space

ALLOCATION = "TVMBackendAllocWorkspace"


def source(layer: Layer, target: CpuTarget, pipeline: str) -> str:
    space = Space.of(layer, target.unit)
    schedule = Schedule(space.module())
    space.generator.apply(schedule, layer, target.unit, space.generator.default(layer, target.unit))
    return str(tvm.compile(schedule.mod, target=target.tvm, tir_pipeline=pipeline).mod.inspect_source("ll"))


def test_accumulators_are_no_heap_allocation(target: CpuTarget) -> None:
    layer = Layer.parse("pointwise 8x8x64->64 bias relu")
    assert ALLOCATION in source(layer, target, "default")
    assert ALLOCATION not in source(layer, target, CODEGEN_PIPELINE)


def test_a_stripe_of_padded_input_stays_one(target: CpuTarget) -> None:
    assert ALLOCATION in source(Layer.parse("max_pool 112x112x64 k3x3 s2 p1"), target, CODEGEN_PIPELINE)
