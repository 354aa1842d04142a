"""Fully connected layers: bound by reading the weights once."""

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.cpu.kernel import clear_accumulators, compute_by_tiles, unroll, vectorize_lanes
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.workloads.dense import dense_block


class Dense:
    """``tile_n`` blocks of outputs accumulate side by side, so that as many streams of weights are read at once."""

    name = "dense"
    version = 1
    kinds = ("dense",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            "tile_n": divisors(layer.out_channels // dense_block(layer.out_channels), 12),
            "unroll_k": tuple(size for size in (1, 2, 4, 8) if layer.in_channels % size == 0),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        return {"tile_n": max(size for size in knobs["tile_n"] if size <= 8), "unroll_k": knobs["unroll_k"][-1]}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return True

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        lanes = dense_block(layer.out_channels)
        n, c = schedule.get_loops(kernel.output)
        co, ci, lane = schedule.split(c, [None, decisions["tile_n"], lanes])
        compute_by_tiles(schedule, kernel, (n, co), (ci, lane), unit)
        c, k = schedule.get_loops(kernel.anchor)[-2:]
        ci, lane = schedule.split(c, [None, lanes])
        ko, ki = schedule.split(k, [None, decisions["unroll_k"]])
        schedule.reorder(ko, ki, ci, lane)
        unroll(schedule, ki, ci, vectorize_lanes(schedule, lane, unit))
        clear_accumulators(schedule, schedule.decompose_reduction(kernel.anchor, ko), tile_loops=2)
