"""Kinds of layers that no schedule of their own serves on a GPU: a thread per result."""

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.schedules.generator import Decisions, Knobs
from tvm_pipeline.schedules.gpu.fallback import bind_plainly


class GpuPlain:
    """Nothing to decide."""

    name = "gpu_plain"
    version = 1
    kinds = ("grouped_conv2d",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        return {}

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        return {}

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        return True

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        bind_plainly(schedule, unit)
