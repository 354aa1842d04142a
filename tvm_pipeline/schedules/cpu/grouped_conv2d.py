"""Convolutions with groups: as standard ones, by tiles that stay within a group."""

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block
from tvm_pipeline.hardware.channel_groups import group_sizes
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.cpu.conv2d import Conv2d
from tvm_pipeline.schedules.cpu.kernel import CHANNELS_OUTER
from tvm_pipeline.schedules.cpu.register_tile import best_tile, tile_width
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors


class GroupedConv2d(Conv2d):
    """Blocks of one group share the inputs that they are multiplied by."""

    name = "grouped_conv2d"
    version = 1
    kinds = ("grouped_conv2d",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        outputs, lanes = group_sizes(layer)[1], channel_block(layer.out_channels)
        shared = outputs // lanes if outputs % lanes == 0 else 1
        return {**super().knobs(layer, unit), "tile_n": divisors(shared, 8)}

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        tile = best_tile(self.knobs(layer, unit), "tile_w", unit)
        return {**tile, "outer": CHANNELS_OUTER, "unroll_window": 0}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return decisions["tile_w"] * tile_width(decisions) < unit.registers  # few sums may be all that there are
