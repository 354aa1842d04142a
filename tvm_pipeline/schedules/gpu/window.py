"""Kernels that slide a window over each channel alone: depthwise convolutions and pooling."""

from math import prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import MOST_THREADS, SECTOR_BYTES, STATIC_SHARED_BYTES, warps_of
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu.block_cost import BlockCost, cheapest, fills, results_of
from tvm_pipeline.schedules.gpu.thread_block import (
    CHANNELS_PER_THREAD,
    ThreadBlock,
    bind_blocks,
    bind_threads,
    copy_by_threads,
    copy_to_registers,
    unroll_all,
)
from tvm_pipeline.workloads.padding import window_shape

WEIGHT_LANES = 4
"""A vector of weights, which are float32."""


class GpuWindow:
    """A block makes ``rows`` x ``columns`` outputs of ``tile_c`` channels: its padded input comes into shared memory,
    then a thread makes ``tile_h`` outputs below each other, of four channels."""

    name = "gpu_window"
    version = 1
    kinds = ("depthwise", "max_pool", "average_pool")

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        channels, lanes = padded_channels(layer.in_channels), channel_block(layer.in_channels)
        return {
            "tile_c": tuple(size for size in (4, 8, 16, 32) if lanes % size == 0 or channels % size == 0),
            "rows": divisors(layer.out_height, 32),
            "columns": divisors(layer.out_width, 64),
            "tile_h": tuple(size for size in divisors(layer.out_height, 8)),
        }

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        return cheapest(
            self.knobs(layer, unit),
            lambda point: self.is_sensible(layer, unit, point),
            lambda point: _cycles(layer, unit, point),
        )

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        if decisions["rows"] % decisions["tile_h"]:
            return False
        threads = _threads(decisions).threads
        if not fills(unit, _blocks(layer, decisions), results_of(layer)):
            return False
        shared = _input_values(layer, decisions) * unit.value_bytes + _weight_values(layer, decisions) * 4
        fits = shared <= STATIC_SHARED_BYTES
        return fits and threads <= MOST_THREADS and decisions["tile_h"] * layer.kernel[0] * layer.kernel[1] <= 128

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        if decisions["rows"] % decisions["tile_h"]:
            raise ValueError(f"{decisions['rows']} rows are no multiple of {decisions['tile_h']}")
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        lanes, tile_c = channel_block(layer.in_channels), decisions["tile_c"]
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, max(1, tile_c // lanes)])
        lo, li = schedule.split(lane, [None, min(tile_c, lanes)])
        yo, yi = schedule.split(y, [None, decisions["rows"]])
        xo, xi = schedule.split(x, [None, decisions["columns"]])
        row, own = schedule.split(yi, [None, decisions["tile_h"]])
        column, vector = schedule.split(li, [None, CHANNELS_PER_THREAD])
        schedule.reorder(n, co, lo, yo, xo, row, xi, ci, column, own, vector)
        tile, channels = schedule.fuse(yo, xo), schedule.fuse(n, co, lo)
        schedule.reorder(channels, tile)
        bind_blocks(schedule, tile, channels)
        owner = schedule.fuse(ci, column)
        bind_threads(schedule, row, xi, owner)
        schedule.unroll(own)
        schedule.vectorize(vector)
        schedule.compute_at(kernel.anchor, owner, preserve_unit_loops=True)
        assert kernel.padding is not None
        schedule.set_scope(kernel.padding, 0, "shared")
        schedule.compute_at(kernel.padding, tile, preserve_unit_loops=True)
        copy_by_threads(schedule, kernel.padding, 5, _threads(decisions), unit.vector_lanes)
        if layer.kind == "depthwise":
            weights = schedule.cache_read(kernel.anchor, 1, "local")
            schedule.compute_at(weights, owner, preserve_unit_loops=True)
            shared = schedule.cache_read(weights, 0, "shared")
            schedule.compute_at(shared, tile, preserve_unit_loops=True)
            copy_by_threads(schedule, shared, 4, _threads(decisions), WEIGHT_LANES)
            copy_to_registers(schedule, weights, 4, CHANNELS_PER_THREAD)
        _slide(schedule, kernel.anchor)


def _slide(schedule: Schedule, anchor: SBlockRV) -> None:
    own, _, vector, ry, rx = schedule.get_loops(anchor)[-5:]
    inputs = schedule.cache_read(anchor, 0, "local")
    schedule.reorder(ry, own, rx, vector)
    schedule.compute_at(inputs, rx, preserve_unit_loops=True)
    copy_to_registers(schedule, inputs, 5, CHANNELS_PER_THREAD)
    unroll_all(schedule, [ry, own, rx, vector])
    clear = schedule.decompose_reduction(anchor, ry)
    unroll_all(schedule, schedule.get_loops(clear)[-3:])


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock(
        decisions["rows"] // decisions["tile_h"], decisions["columns"], decisions["tile_c"] // CHANNELS_PER_THREAD
    )


def _input_values(layer: Layer, decisions: Decisions) -> int:
    """Of a block, the border's included."""
    rows, columns = (
        (outputs - 1) * layer.stride[axis] + (layer.kernel[axis] - 1) * layer.dilation[axis] + 1
        for axis, outputs in enumerate((decisions["rows"], decisions["columns"]))
    )
    return rows * columns * decisions["tile_c"]


def _weight_values(layer: Layer, decisions: Decisions) -> int:
    """Of a block, the zeros beside them included, though nobody reads those."""
    return prod(window_shape(layer)) * decisions["tile_c"] if layer.kind == "depthwise" else 0


def _blocks(layer: Layer, decisions: Decisions) -> int:
    return results_of(layer) // (decisions["rows"] * decisions["columns"] * decisions["tile_c"])


def _cycles(layer: Layer, unit: GpuUnit, decisions: Decisions) -> float:
    made = decisions["rows"] * decisions["columns"] * decisions["tile_c"]
    threads = _threads(decisions).threads
    taps = layer.kernel[0] * layer.kernel[1]
    size = unit.value_bytes
    inputs = _input_values(layer, decisions) * size
    weights = _weight_values(layer, decisions) * 4
    narrow = max(1.0, SECTOR_BYTES / (decisions["tile_c"] * size))
    # reading shared memory by vectors takes four cycles per warp, and so does every vector that is stored
    busy = warps_of(threads) * taps * 4 * (decisions["tile_h"] + 1) + inputs / 64
    cost = BlockCost(threads, narrow * inputs + weights + made * size, inputs + weights, busy, inputs + weights)
    return cost.cycles(unit, _blocks(layer, decisions))
