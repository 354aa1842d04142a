"""Global average pooling: the image's pixels shared out to groups of threads."""

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu.narrow_sum import sum_columns


class GpuGlobalPool:
    """A block sums ``tile_c`` channels; ``groups`` of threads share out the pixels."""

    name = "gpu_global_pool"
    version = 1
    kinds = ("global_average_pool",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        lanes = channel_block(layer.in_channels)
        return {
            "tile_c": tuple(size for size in (4, 8, 16) if lanes % size == 0),
            "groups": divisors(layer.height * layer.width, 64),
        }

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        channels = layer.batch * padded_channels(layer.in_channels)
        filling = [size for size in knobs["tile_c"] if channels // size >= unit.multiprocessors]
        return {"tile_c": max([size for size in filling if size >= 8] or [8]), "groups": knobs["groups"][-1]}

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        return True

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        *_, m = schedule.get_loops(kernel.anchor)
        n, c, pixel, lane = schedule.get_loops(kernel.output)
        lo, li = schedule.split(lane, [None, decisions["tile_c"]])
        tile = schedule.fuse(n, c, pixel, lo)
        sum_columns(schedule, kernel, m, tile, li, decisions["groups"], unroll=8)
