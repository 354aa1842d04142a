"""A depthwise convolution and the pointwise one behind it: what lies between stays in shared memory."""

from math import ceil, prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import MOST_THREADS, STATIC_SHARED_BYTES, warps_of
from tvm_pipeline.schedules.annotations import Kernel, prepare_inner_kernel, prepare_kernel, split_pixels
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

REDUCTION_STEP = 4
WEIGHT_PITCH = 16

WEIGHT_LANES = 4
"""A vector of a window's weights."""


class GpuSeparable:
    """A block makes ``rows`` x ``columns`` pixels by ``tile_n`` channels, a thread ``thread_w`` pixels of a row by four
    channels. Each step brings one block of input channels and makes its depthwise half, which all threads share."""

    name = "gpu_separable"
    version = 1
    kinds = ("separable",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        channels, lanes = padded_channels(layer.out_channels), channel_block(layer.out_channels)
        return {
            "rows": divisors(layer.out_height, 16),
            "columns": divisors(layer.out_width, 64),
            "tile_n": tuple(size for size in (8, 16, 32, 64, 128) if lanes % size == 0 or channels % size == 0),
            "thread_w": divisors(layer.out_width, 8),
        }

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        return cheapest(
            self.knobs(layer, unit),
            lambda point: self.is_sensible(layer, unit, point),
            lambda point: self.cycles(layer, unit, point),
        )

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        if decisions["columns"] % decisions["thread_w"]:
            return False
        if not fills(unit, _blocks(layer, decisions), results_of(layer)):
            return False
        fits = _shared_bytes(layer, unit, decisions) <= STATIC_SHARED_BYTES
        return fits and _threads(decisions).threads <= MOST_THREADS

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        if decisions["columns"] % decisions["thread_w"]:
            raise ValueError(f"{decisions['columns']} columns are no multiple of {decisions['thread_w']}")
        inner = prepare_inner_kernel(schedule)
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        lanes, tile_n = channel_block(layer.out_channels), decisions["tile_n"]
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, max(1, tile_n // lanes)])
        lo, li = schedule.split(lane, [None, min(tile_n, lanes)])
        yo, row = schedule.split(y, [None, decisions["rows"]])
        xo, xi = schedule.split(x, [None, decisions["columns"]])
        column, own = schedule.split(xi, [None, decisions["thread_w"]])
        channel, vector = schedule.split(li, [None, CHANNELS_PER_THREAD])
        schedule.reorder(n, co, lo, yo, xo, row, column, ci, channel, own, vector)
        channels, tile = schedule.fuse(n, co, lo), schedule.fuse(yo, xo)
        bind_blocks(schedule, tile, channels)
        pixel, owner = schedule.fuse(row, column), schedule.fuse(ci, channel)
        bind_threads(schedule, None, pixel, owner)
        schedule.unroll(own)
        schedule.vectorize(vector)
        schedule.compute_at(kernel.anchor, owner, preserve_unit_loops=True)
        step = self._multiply(schedule, kernel.anchor, layer, unit, decisions)
        self._slide(schedule, inner, kernel, step, unit, decisions)
        clear = schedule.decompose_reduction(kernel.anchor, step)
        unroll_all(schedule, schedule.get_loops(clear)[-3:])

    @staticmethod
    def _multiply(schedule: Schedule, anchor: SBlockRV, layer: Layer, unit: GpuUnit, decisions: Decisions) -> LoopRV:
        """The pointwise half, out of shared memory; returns the loop over steps."""
        *_, own, vector, step, ki = schedule.get_loops(anchor)
        kio, kii = schedule.split(ki, [None, REDUCTION_STEP])
        schedule.reorder(step, kio, kii, own, vector)
        weights = schedule.cache_read(anchor, 1, "local")
        schedule.compute_at(weights, kio, preserve_unit_loops=True)
        shared = schedule.cache_read(weights, 0, "shared")
        schedule.compute_at(shared, step, preserve_unit_loops=True)
        if decisions["tile_n"] > channel_block(layer.out_channels):
            schedule.storage_align(shared, 0, axis=0, factor=32, offset=WEIGHT_PITCH)
        copy_by_threads(schedule, shared, 4, _threads(decisions), unit.vector_lanes)
        copy_to_registers(schedule, weights, 4, CHANNELS_PER_THREAD)
        between = schedule.cache_read(anchor, 0, "local")
        schedule.compute_at(between, kio, preserve_unit_loops=True)
        copy_to_registers(schedule, between, 5, REDUCTION_STEP)
        unroll_all(schedule, [kio, kii, own, vector])
        return step

    @staticmethod
    def _slide(
        schedule: Schedule, inner: Kernel, kernel: Kernel, step: LoopRV, unit: GpuUnit, decisions: Decisions
    ) -> None:
        """The depthwise half of a step: each thread makes vectors of one group of channels."""
        threads = _threads(decisions)
        schedule.set_scope(inner.output, 0, "shared")
        schedule.compute_at(inner.output, step, preserve_unit_loops=True)
        *_, y, x, lane = schedule.get_loops(inner.output)
        group, vector = schedule.split(lane, [None, CHANNELS_PER_THREAD])
        own, row, column = schedule.split(schedule.fuse(y, x, group), [None, threads.rows, threads.columns])
        schedule.reorder(row, column, own, vector)
        bind_threads(schedule, None, row, column)
        schedule.vectorize(vector)
        schedule.compute_at(inner.anchor, own, preserve_unit_loops=True)
        weights = schedule.cache_read(inner.anchor, 1, "local")
        schedule.compute_at(weights, column, preserve_unit_loops=True)
        shared = schedule.cache_read(weights, 0, "shared")
        schedule.compute_at(shared, step, preserve_unit_loops=True)
        copy_by_threads(schedule, shared, 4, threads, WEIGHT_LANES)
        copy_to_registers(schedule, weights, 4, CHANNELS_PER_THREAD)
        assert kernel.padding is not None
        schedule.set_scope(kernel.padding, 0, "shared")
        schedule.compute_at(kernel.padding, step, preserve_unit_loops=True)
        copy_by_threads(schedule, kernel.padding, 5, threads, unit.vector_lanes)
        *_, lane, ry, rx = schedule.get_loops(inner.anchor)
        inputs = schedule.cache_read(inner.anchor, 0, "local")
        schedule.reorder(ry, rx, lane)
        schedule.compute_at(inputs, rx, preserve_unit_loops=True)
        copy_to_registers(schedule, inputs, 5, CHANNELS_PER_THREAD)
        # its sums are not cleared by loops of their own: threads that divide no row would forbid that, and unrolled it
        # comes to the same
        unroll_all(schedule, [own, ry, rx, lane])

    @staticmethod
    def cycles(layer: Layer, unit: GpuUnit, decisions: Decisions) -> float:
        """Roughly, until the last multiprocessor is done."""
        made, tile_n, thread_w = decisions["rows"] * decisions["columns"], decisions["tile_n"], decisions["thread_w"]
        steps, size = padded_channels(layer.in_channels) // channel_block(layer.in_channels), unit.value_bytes
        threads = _threads(decisions).threads
        taps = prod(layer.kernel)
        warps = warps_of(threads)
        vectors = ceil(made * channel_block(layer.in_channels) / CHANNELS_PER_THREAD / threads)
        slide = warps * vectors * (4 * taps + 4) + warps * taps * 4
        multiply = warps * channel_block(layer.in_channels) / REDUCTION_STEP * max(8 * thread_w, 4 * thread_w + 16)
        brought = _step_bytes(layer, unit, decisions)
        shared = _shared_bytes(layer, unit, decisions)
        stored = made * tile_n * size
        cost = BlockCost(threads, steps * brought + stored, brought, steps * (slide + multiply), shared, steps)
        return cost.cycles(unit, _blocks(layer, decisions))


def _threads(decisions: Decisions) -> ThreadBlock:
    pixels = decisions["rows"] * decisions["columns"] // decisions["thread_w"]
    return ThreadBlock(1, pixels, decisions["tile_n"] // CHANNELS_PER_THREAD)


def _blocks(layer: Layer, decisions: Decisions) -> int:
    return results_of(layer) // (decisions["rows"] * decisions["columns"] * decisions["tile_n"])


def _step_bytes(layer: Layer, unit: GpuUnit, decisions: Decisions) -> int:
    """What a step brings into shared memory; a window's weights are float32."""
    rows, columns = (
        (outputs - 1) * layer.stride[axis] + (layer.kernel[axis] - 1) * layer.dilation[axis] + 1
        for axis, outputs in enumerate((decisions["rows"], decisions["columns"]))
    )
    in_lanes = channel_block(layer.in_channels)
    window = 4 * prod(window_shape(layer.depthwise_part))
    return in_lanes * (window + unit.value_bytes * (rows * columns + decisions["tile_n"]))


def _shared_bytes(layer: Layer, unit: GpuUnit, decisions: Decisions) -> int:
    made = decisions["rows"] * decisions["columns"] * channel_block(layer.in_channels)
    apart = WEIGHT_PITCH * decisions["tile_n"] // channel_block(layer.out_channels)
    return _step_bytes(layer, unit, decisions) + (made + apart) * unit.value_bytes
