"""What the generators share whose thread blocks each make a tile of the results: the rule that chooses it, the cuts."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import product

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.schedules.generator import Decisions, Knobs
from tvm_pipeline.schedules.gpu.block_cost import Tile
from tvm_pipeline.schedules.gpu.thread_block import CHANNELS_PER_THREAD, bind_blocks

RESULTS_PER_BLOCK = 256
"""A block that makes no more is small enough, however many there are."""


class TiledGenerator(ABC):
    """A generator whose decisions make a tile."""

    @abstractmethod
    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs: ...

    @abstractmethod
    def tile(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> Tile: ...

    @abstractmethod
    def cut(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        """Schedules a kernel in place, by decisions that leave no thread less than others."""

    def considered(self, layer: Layer, unit: GpuUnit) -> Knobs:
        """The part of the space that the rule chooses from."""
        return self.knobs(layer, unit)

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        """The sensible choice that takes the fewest cycles; where none is sensible, the one of first values."""
        knobs = self.considered(layer, unit)
        choices = [dict(zip(knobs, values, strict=True)) for values in product(*knobs.values())]
        tiles = [self.tile(layer, unit, choice) for choice in choices]
        sensible = [number for number, tile in enumerate(tiles) if tile.is_sensible]
        return choices[min(sensible, key=lambda number: tiles[number].cycles(unit), default=0)]

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        return self.tile(layer, unit, decisions).is_sensible

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        if not self.tile(layer, unit, decisions).is_whole:
            raise ValueError(f"a tile is no multiple of what its threads make: {dict(decisions)}")
        self.cut(schedule, layer, unit, decisions)


def channel_tiles(channels: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """The sizes that divide a block of channels, or are whole blocks that divide all of them."""
    lanes = channel_block(channels)
    return tuple(size for size in sizes if lanes % size == 0 or padded_channels(channels) % size == 0)


def results_of(layer: Layer) -> int:
    """How many values a kernel stores, those that only fill the last block of channels among them."""
    return layer.batch * layer.out_height * layer.out_width * padded_channels(layer.out_channels)


def fills(unit: GpuUnit, blocks: int, results: int) -> bool:
    """Whether a kernel of so many ``results`` has a block for every multiprocessor, or all that are worth starting."""
    return blocks >= min(unit.multiprocessors, results // RESULTS_PER_BLOCK)


def input_pixels(layer: Layer, rows: int, columns: int) -> int:
    """Those that a tile of ``rows`` x ``columns`` outputs reads, the border's included."""
    height, width = (
        (outputs - 1) * layer.stride[axis] + (layer.kernel[axis] - 1) * layer.dilation[axis] + 1
        for axis, outputs in enumerate((rows, columns))
    )
    return height * width


def split_channels(
    schedule: Schedule, block: LoopRV, lane: LoopRV, channels: int
) -> tuple[LoopRV, LoopRV, LoopRV, LoopRV]:
    """Cuts a tile of channels out of the loops over their blocks and over a block's lanes: both outer loops, then both
    inner ones, which are the tile's."""
    lanes = int(schedule.get(lane).extent)
    block, inner_block = schedule.split(block, [None, max(1, channels // lanes)])
    lane, inner_lane = schedule.split(lane, [None, min(channels, lanes)])
    return block, lane, inner_block, inner_lane


def cut_rectangle(
    schedule: Schedule, output: SBlockRV, decisions: Decisions, channels: int, *, down: int = 0, along: int = 0
) -> tuple[LoopRV, LoopRV, LoopRV, LoopRV]:
    """Binds tiles of ``rows`` x ``columns`` pixels by ``channels`` to thread blocks. A thread makes four channels, as a
    vector, of ``down`` pixels below each other or of ``along`` pixels of a row, unrolled.

    :returns: the loop over tiles of pixels, and those over a block's threads: rows, columns, channels.
    """
    n, c, y, x, lane = schedule.get_loops(output)
    c, lane, inner_block, inner_lane = split_channels(schedule, c, lane, channels)
    y, row = schedule.split(y, [None, decisions["rows"]])
    x, column = schedule.split(x, [None, decisions["columns"]])
    if down:
        row, own = schedule.split(row, [None, down])
    else:
        column, own = schedule.split(column, [None, along])
    channel, vector = schedule.split(inner_lane, [None, CHANNELS_PER_THREAD])
    schedule.reorder(n, c, lane, y, x, row, column, inner_block, channel, own, vector)
    pixels = schedule.fuse(y, x)
    bind_blocks(schedule, pixels, schedule.fuse(n, c, lane))
    schedule.unroll(own)
    schedule.vectorize(vector)
    return pixels, row, column, schedule.fuse(inner_block, channel)
