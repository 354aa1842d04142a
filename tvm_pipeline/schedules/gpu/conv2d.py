"""Standard convolutions: tiles of shared memory, a tile of sums in each thread's registers."""

from math import ceil

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import MOST_THREADS, STATIC_SHARED_BYTES, warps_of
from tvm_pipeline.schedules.annotations import Kernel, prepare_kernel, split_pixels
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

REDUCTION_STEP = 4

PLANE_LANES = 4
"""A vector of float32, which an image and its weights are."""

PLANES_AT_ONCE = 4
"""An image's planes come into shared memory together."""


class GpuConv2d:
    """A block makes ``rows`` x ``columns`` pixels of ``tile_n`` channels, a thread ``thread_w`` pixels of a row by four
    channels. Each step brings one block of input channels, padded, and its weights into shared memory."""

    name = "gpu_conv2d"
    version = 1
    kinds = ("conv2d",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        channels, lanes = padded_channels(layer.out_channels), channel_block(layer.out_channels)
        return {
            "tile_n": tuple(size for size in (8, 16, 32, 64) if lanes % size == 0 or channels % size == 0),
            "rows": divisors(layer.out_height, 16),
            "columns": divisors(layer.out_width, 128),
            "thread_w": divisors(layer.out_width, 8),
        }

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        return cheapest(
            self.knobs(layer, unit),
            lambda point: self.is_sensible(layer, unit, point),
            lambda point: _cycles(layer, unit, point),
        )

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        if decisions["columns"] % decisions["thread_w"]:
            return False
        threads = _threads(decisions).threads
        if not fills(unit, _blocks(layer, decisions), results_of(layer)):
            return False
        return threads <= MOST_THREADS and _shared_bytes(layer, unit, decisions) <= STATIC_SHARED_BYTES

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        if decisions["columns"] % decisions["thread_w"]:
            raise ValueError(f"{decisions['columns']} columns are no multiple of {decisions['thread_w']}")
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        threads = _threads(decisions)
        lanes, tile_n = channel_block(layer.out_channels), decisions["tile_n"]
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, max(1, tile_n // lanes)])
        lo, li = schedule.split(lane, [None, min(tile_n, lanes)])
        yo, row = schedule.split(y, [None, decisions["rows"]])
        xo, xi = schedule.split(x, [None, decisions["columns"]])
        column, own = schedule.split(xi, [threads.rows, None])
        channel, vector = schedule.split(li, [None, CHANNELS_PER_THREAD])
        schedule.reorder(n, co, lo, yo, xo, row, column, ci, channel, own, vector)
        channels, tile = schedule.fuse(n, co, lo), schedule.fuse(yo, xo)
        bind_blocks(schedule, tile, channels)
        owner = schedule.fuse(ci, channel)
        bind_threads(schedule, row, column, owner)
        schedule.unroll(own)
        schedule.vectorize(vector)
        schedule.compute_at(kernel.anchor, owner, preserve_unit_loops=True)
        self._accumulate(schedule, kernel, layer, threads, unit)

    @staticmethod
    def _accumulate(schedule: Schedule, kernel: Kernel, layer: Layer, threads: ThreadBlock, unit: GpuUnit) -> None:
        anchor = kernel.anchor
        blocked = is_blockable(layer.in_channels)
        step, inside, tile = _nest(schedule, anchor, layer)
        lanes = unit.vector_lanes if blocked else PLANE_LANES
        weights = schedule.cache_read(anchor, 1, "local")
        schedule.compute_at(weights, inside, preserve_unit_loops=True)
        shared = schedule.cache_read(weights, 0, "shared")
        schedule.compute_at(shared, step, preserve_unit_loops=True)
        dimensions = 6 if blocked else 5
        copy_by_threads(schedule, shared, dimensions, threads, lanes)
        copy_to_registers(schedule, weights, dimensions, CHANNELS_PER_THREAD)
        inputs = schedule.cache_read(anchor, 0, "local")
        schedule.compute_at(inputs, inside, preserve_unit_loops=True)
        dimensions = 5 if blocked else 4
        copy_to_registers(schedule, inputs, dimensions, REDUCTION_STEP if blocked else 1)
        assert kernel.padding is not None
        schedule.set_scope(kernel.padding, 0, "shared")
        schedule.compute_at(kernel.padding, step, preserve_unit_loops=True)
        copy_by_threads(schedule, kernel.padding, dimensions, threads, lanes if blocked else 1)
        unroll_all(schedule, tile)
        clear = schedule.decompose_reduction(anchor, step)
        unroll_all(schedule, schedule.get_loops(clear)[-3:])


def _nest(schedule: Schedule, anchor: SBlockRV, layer: Layer) -> tuple[LoopRV, LoopRV, list[LoopRV]]:
    """Orders the anchor's loops: the loop over steps, the one whose body holds its operands in registers, and what is
    to be unrolled."""
    if is_blockable(layer.in_channels):
        *_, own, vector, ko, ry, rx, ki = schedule.get_loops(anchor)
        kio, kii = schedule.split(ki, [None, REDUCTION_STEP])
        schedule.reorder(ko, ry, rx, kio, kii, own, vector)
        return ko, kio, [kii, own, vector]
    *_, own, vector, ko, ry, rx = schedule.get_loops(anchor)
    planes = layer.in_channels if layer.in_channels <= PLANES_AT_ONCE else 1
    step, ko = schedule.split(ko, [None, planes])
    schedule.reorder(step, ko, ry, rx, own, vector)
    return step, rx, [ko, ry, rx, own, vector]


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock(
        decisions["rows"], decisions["columns"] // decisions["thread_w"], decisions["tile_n"] // CHANNELS_PER_THREAD
    )


def _step_channels(layer: Layer) -> int:
    if is_blockable(layer.in_channels):
        return channel_block(layer.in_channels)
    return layer.in_channels if layer.in_channels <= PLANES_AT_ONCE else 1


def _input_pixels(layer: Layer, decisions: Decisions) -> int:
    rows, columns = (
        (outputs - 1) * layer.stride[axis] + (layer.kernel[axis] - 1) * layer.dilation[axis] + 1
        for axis, outputs in enumerate((decisions["rows"], decisions["columns"]))
    )
    return rows * columns


def _shared_bytes(layer: Layer, unit: GpuUnit, decisions: Decisions) -> int:
    """Of a step: its input and its weights, float32 where it is an image."""
    size = unit.value_bytes if is_blockable(layer.in_channels) else 4
    weights = layer.kernel[0] * layer.kernel[1] * decisions["tile_n"]
    return _step_channels(layer) * (_input_pixels(layer, decisions) + weights) * size


def _blocks(layer: Layer, decisions: Decisions) -> int:
    return results_of(layer) // (decisions["rows"] * decisions["columns"] * decisions["tile_n"])


def _cycles(layer: Layer, unit: GpuUnit, decisions: Decisions) -> float:
    made = decisions["rows"] * decisions["columns"]
    threads, blocked = _threads(decisions).threads, is_blockable(layer.in_channels)
    reduction = padded_channels(layer.in_channels) if blocked else layer.in_channels
    steps, brought = ceil(reduction / _step_channels(layer)), _shared_bytes(layer, unit, decisions)
    thread_w = decisions["thread_w"]
    loads = (0.5 if blocked else 1) * thread_w + 4
    busy = warps_of(threads) * reduction * layer.kernel[0] * layer.kernel[1] * max(2 * thread_w, loads)
    stored = made * decisions["tile_n"] * unit.value_bytes
    cost = BlockCost(threads, steps * brought + stored, brought, busy, brought, steps)
    return cost.cycles(unit, _blocks(layer, decisions))
