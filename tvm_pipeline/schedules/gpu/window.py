"""Kernels that slide a window over each channel alone: depthwise convolutions and pooling."""

from math import prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import SECTOR_BYTES, warps_of
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu import tiled
from tvm_pipeline.schedules.gpu.block_cost import REACHED_SHARED_BYTES_PER_CYCLE, Tile
from tvm_pipeline.schedules.gpu.copies import WINDOW_LANES, hold, share, share_padded
from tvm_pipeline.schedules.gpu.thread_block import ThreadBlock, bind_threads, clear_sums, compute_in, unroll_all
from tvm_pipeline.workloads.padding import window_shape

MOST_TAPS = 128
"""Of a thread, whose window is unrolled for each of its outputs."""


class GpuWindow(tiled.TiledGenerator):
    """A block makes ``rows`` x ``columns`` outputs of ``tile_c`` channels: its padded input comes into shared memory,
    then a thread makes ``tile_h`` outputs below each other, of four channels."""

    name = "gpu_window"
    version = 1
    kinds = ("depthwise", "max_pool", "average_pool")

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        return {
            "tile_c": tiled.channel_tiles(layer.in_channels, (4, 8, 16, 32)),
            "rows": divisors(layer.out_height, 32),
            "columns": divisors(layer.out_width, 64),
            "tile_h": divisors(layer.out_height, 8),
        }

    def tile(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> Tile:
        tile_c, rows, columns, tile_h = (decisions[name] for name in ("tile_c", "rows", "columns", "tile_h"))
        threads, blocks = _threads(decisions), tiled.results_of(layer) // (rows * columns * tile_c)
        taps, size = prod(layer.kernel), unit.value_bytes
        inputs = tiled.input_pixels(layer, rows, columns) * tile_c * size
        # float32, and the zeros beside them come too, though nobody reads those
        weights = prod(window_shape(layer)) * tile_c * 4 if layer.kind == "depthwise" else 0
        narrow = max(1.0, SECTOR_BYTES / (tile_c * size))
        # reading shared memory by vectors takes four cycles per warp, and so does every vector that is stored
        sliding = warps_of(threads.count) * taps * 4 * (tile_h + 1)
        return Tile(
            threads,
            blocks,
            shared=inputs + weights,
            requested=narrow * inputs + weights + rows * columns * tile_c * size,
            at_once=inputs + weights,
            busy=sliding + inputs / REACHED_SHARED_BYTES_PER_CYCLE,
            is_whole=rows % tile_h == 0,
            is_worthwhile=tiled.fills(unit, blocks, tiled.results_of(layer)) and tile_h * taps <= MOST_TAPS,
        )

    def cut(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        kernel, threads = split_pixels(schedule, prepare_kernel(schedule)), _threads(decisions)
        pixels, *axes = tiled.cut_rectangle(
            schedule, kernel.output, decisions, decisions["tile_c"], down=decisions["tile_h"]
        )
        bind_threads(schedule, *axes)
        compute_in(schedule, kernel.anchor, axes[-1])
        share_padded(schedule, kernel, pixels, threads, unit.vector_lanes)
        if layer.kind == "depthwise":
            weights = hold(schedule, kernel.anchor, 1, axes[-1])
            share(schedule, schedule.cache_read(weights, 0, "shared"), pixels, threads, WINDOW_LANES)
        _slide(schedule, kernel.anchor)


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock.of(decisions["rows"] // decisions["tile_h"], decisions["columns"], decisions["tile_c"])


def _slide(schedule: Schedule, anchor: SBlockRV) -> None:
    """Each row of the window serves all of a thread's outputs before the next one does."""
    own, _, vector, window_row, window_column = schedule.get_loops(anchor)[-5:]
    schedule.reorder(window_row, own, window_column, vector)
    hold(schedule, anchor, 0, window_column)
    unroll_all(schedule, [window_row, own, window_column, vector])
    clear_sums(schedule, anchor, window_row)
