"""Fully connected layers: bound by reading the weights once, which groups of threads share out."""

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu.narrow_sum import sum_columns
from tvm_pipeline.workloads.dense import dense_block


class GpuDense:
    """A block makes ``tile_c`` outputs; ``groups`` of threads share out the inputs, ``unroll_k`` weights at a time."""

    name = "gpu_dense"
    version = 1
    kinds = ("dense",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        return {
            "tile_c": divisors(dense_block(layer.out_channels), 16),
            "groups": divisors(layer.in_channels, 128),
            "unroll_k": (1, 2, 4, 8),
        }

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        outputs = layer.batch * layer.out_channels
        filling = [size for size in knobs["tile_c"] if outputs // size >= unit.multiprocessors]
        tile_c = max(filling or knobs["tile_c"][:1])
        groups = max(size for size in knobs["groups"] if size <= 64)
        steps = layer.in_channels // groups
        unroll_k = max(size for size in knobs["unroll_k"] if size <= steps)
        return {"tile_c": tile_c, "groups": groups, "unroll_k": unroll_k}

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        return decisions["unroll_k"] <= max(1, layer.in_channels // decisions["groups"])

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        kernel = prepare_kernel(schedule)
        *_, k = schedule.get_loops(kernel.anchor)
        n, c = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, decisions["tile_c"]])
        tile = schedule.fuse(n, co)
        sum_columns(schedule, kernel, k, tile, ci, decisions["groups"], decisions["unroll_k"])
