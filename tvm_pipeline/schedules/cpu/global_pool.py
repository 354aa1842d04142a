"""Global average pooling: one pass over the image per channel block."""

from math import isqrt

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.cpu.kernel import clear_accumulators, compute_by_tiles, unroll, vectorize_lanes
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.workloads.workload import ANCHOR

_LONGEST_SUM = 64


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
        partial = _by_runs(schedule, kernel.anchor, _run(layer.height * layer.width))
        n, c, one, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, decisions["tile_c"]])
        compute_by_tiles(schedule, kernel, (n, one, co), (ci, lane), unit)
        if partial is None:
            _sum_image(schedule, kernel.anchor, unit)
            return
        runs, _, ci, _, lane = schedule.get_loops(kernel.anchor)[-5:]
        schedule.compute_at(partial, runs, preserve_unit_loops=True)
        _sum_tile(schedule, kernel.anchor, runs, (ci, lane), unit)
        _sum_image(schedule, partial, unit)


def _run(pixels: int) -> int:
    """How many pixels are summed up apart before they are added to the total; all where that is few enough.

    A sum of n numbers one by one loses n roundings: the mean of 12 x 80 was off by 8e-7 of the range.
    """
    return pixels if pixels <= _LONGEST_SUM else max(divisors(pixels, isqrt(pixels)))


def _by_runs(schedule: Schedule, anchor: SBlockRV, run: int) -> SBlockRV | None:
    """The block that sums up each run in registers of its own; None where there are no runs of several pixels."""
    m = schedule.get_loops(anchor)[-1]
    if run in (1, int(schedule.get(m).extent)):
        return None
    runs, _ = schedule.split(m, [None, run])
    partial = schedule.rfactor(runs, 0)
    schedule.set_scope(partial, 0, "local")
    schedule.unannotate(partial, ANCHOR)
    return partial


def _sum_image(schedule: Schedule, block: SBlockRV, unit: VectorUnit) -> None:
    """Nests a tile into the sum over pixels, the block's last loop."""
    ci, _, lane, pixels = schedule.get_loops(block)[-4:]
    schedule.reorder(pixels, ci, lane)
    _sum_tile(schedule, block, pixels, (ci, lane), unit)


def _sum_tile(
    schedule: Schedule, block: SBlockRV, pixels: LoopRV, tile: tuple[LoopRV, LoopRV], unit: VectorUnit
) -> None:
    """Sums up a tile of channel blocks side by side, in vectors."""
    ci, lane = tile
    unroll(schedule, ci, vectorize_lanes(schedule, lane, unit))
    clear_accumulators(schedule, schedule.decompose_reduction(block, pixels), tile_loops=2)
