"""Global average pooling: one pass over the image per channel block."""

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.cpu.kernel import clear_accumulators, compute_by_tiles, unroll, vectorize_lanes
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors


class GlobalPool:
    """``tile_c`` channel blocks are summed side by side, which hides the latency of an addition."""

    name = "global_pool"
    version = 1
    kinds = ("global_average_pool",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {"tile_c": divisors(block_count(layer.in_channels), 8)}

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        return {"tile_c": max(size for size in self.knobs(layer, unit)["tile_c"] if size <= 4)}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return True

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        n, c, one, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, decisions["tile_c"]])
        compute_by_tiles(schedule, kernel, (n, one, co), (ci, lane), unit)
        ci, one, lane, m = schedule.get_loops(kernel.anchor)[-4:]
        schedule.reorder(one, m, ci, lane)
        unroll(schedule, ci, vectorize_lanes(schedule, lane, unit))
        clear_accumulators(schedule, schedule.decompose_reduction(kernel.anchor, m), tile_loops=2)
