"""A depthwise convolution and the pointwise one behind it: what lies between stays in shared memory."""

from math import ceil, prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import warps_of
from tvm_pipeline.schedules.annotations import Kernel, prepare_inner_kernel, prepare_kernel, split_pixels
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu import tiled
from tvm_pipeline.schedules.gpu.block_cost import CHANNELS_AT_ONCE, Tile, multiply_cycles
from tvm_pipeline.schedules.gpu.copies import WEIGHT_PITCH, WINDOW_LANES, hold, keep_apart, share, share_padded
from tvm_pipeline.schedules.gpu.thread_block import (
    CHANNELS_PER_THREAD,
    ThreadBlock,
    bind_threads,
    clear_sums,
    compute_in,
    unroll_all,
)
from tvm_pipeline.workloads.padding import window_shape


class GpuSeparable(tiled.TiledGenerator):
    """A block makes ``rows`` x ``columns`` pixels by ``tile_n`` channels, a thread ``thread_w`` pixels of a row by four
    channels. Each step brings one block of input channels and makes its depthwise half, which all threads share."""

    name = "gpu_separable"
    version = 1
    kinds = ("separable",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        return {
            "rows": divisors(layer.out_height, 16),
            "columns": divisors(layer.out_width, 64),
            "tile_n": tiled.channel_tiles(layer.out_channels, (8, 16, 32, 64, 128)),
            "thread_w": divisors(layer.out_width, 8),
        }

    def tile(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> Tile:
        rows, columns, tile_n, thread_w = (decisions[name] for name in ("rows", "columns", "tile_n", "thread_w"))
        threads, blocks = _threads(decisions), tiled.results_of(layer) // (rows * columns * tile_n)
        in_lanes, size, taps = channel_block(layer.in_channels), unit.value_bytes, prod(layer.kernel)
        steps = padded_channels(layer.in_channels) // in_lanes
        window = 4 * prod(window_shape(layer.depthwise_part))  # float32
        brought = in_lanes * (window + size * (tiled.input_pixels(layer, rows, columns) + tile_n))
        apart = WEIGHT_PITCH * tile_n // channel_block(layer.out_channels)
        vectors = ceil(rows * columns * in_lanes / CHANNELS_PER_THREAD / max(1, threads.count))
        sliding = warps_of(threads.count) * (vectors * (4 * taps + 4) + taps * 4)
        return Tile(
            threads,
            blocks,
            shared=brought + (rows * columns * in_lanes + apart) * size,
            requested=steps * brought + rows * columns * tile_n * size,
            at_once=brought,
            busy=steps * (sliding + multiply_cycles(threads, in_lanes, thread_w)),
            rounds=steps,
            is_whole=columns % thread_w == 0,
            is_worthwhile=tiled.fills(unit, blocks, tiled.results_of(layer)),
        )

    def cut(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        inner, kernel = prepare_inner_kernel(schedule), split_pixels(schedule, prepare_kernel(schedule))
        threads, tile_n = _threads(decisions), decisions["tile_n"]
        _, row, column, channel = tiled.cut_rectangle(
            schedule, kernel.output, decisions, tile_n, along=decisions["thread_w"]
        )
        bind_threads(schedule, None, schedule.fuse(row, column), channel)
        compute_in(schedule, kernel.anchor, channel)
        pitch = WEIGHT_PITCH if tile_n > channel_block(layer.out_channels) else None
        step = _multiply(schedule, kernel.anchor, threads, unit.vector_lanes, pitch)
        own = _share_out(schedule, inner, step, threads)
        share_padded(schedule, kernel, step, threads, unit.vector_lanes)
        _slide(schedule, inner.anchor, own)
        clear_sums(schedule, kernel.anchor, step)


def _threads(decisions: Decisions) -> ThreadBlock:
    pixels = decisions["rows"] * decisions["columns"] // decisions["thread_w"]
    return ThreadBlock.of(1, pixels, decisions["tile_n"])


def _multiply(schedule: Schedule, anchor: SBlockRV, threads: ThreadBlock, lanes: int, pitch: int | None) -> LoopRV:
    """The pointwise half, out of shared memory; returns the loop over steps."""
    *_, own, vector, step, ki = schedule.get_loops(anchor)
    kio, kii = schedule.split(ki, [None, CHANNELS_AT_ONCE])
    schedule.reorder(step, kio, kii, own, vector)
    shared = schedule.cache_read(hold(schedule, anchor, 1, kio), 0, "shared")
    share(schedule, shared, step, threads, lanes)
    keep_apart(schedule, shared, axis=0, pitch=pitch)
    hold(schedule, anchor, 0, kio)
    unroll_all(schedule, [kio, kii, own, vector])
    return step


def _share_out(schedule: Schedule, inner: Kernel, step: LoopRV, threads: ThreadBlock) -> LoopRV:
    """The depthwise half of a step: each thread makes vectors of one group of channels, whose weights it holds. Returns
    the loop over its vectors."""
    schedule.set_scope(inner.output, 0, "shared")
    compute_in(schedule, inner.output, step)
    *_, y, x, lane = schedule.get_loops(inner.output)
    group, vector = schedule.split(lane, [None, CHANNELS_PER_THREAD])
    own, row, column = schedule.split(schedule.fuse(y, x, group), [None, threads.rows, threads.columns])
    schedule.reorder(row, column, own, vector)
    bind_threads(schedule, None, row, column)
    schedule.vectorize(vector)
    compute_in(schedule, inner.anchor, own)
    weights = hold(schedule, inner.anchor, 1, column)
    share(schedule, schedule.cache_read(weights, 0, "shared"), step, threads, WINDOW_LANES)
    return own


def _slide(schedule: Schedule, anchor: SBlockRV, own: LoopRV) -> None:
    """Each vector's window is unrolled, and what it reads is held in registers.

    Its sums are not cleared by loops of their own: threads that divide no row would forbid that, and unrolled it comes
    to the same.
    """
    *_, vector, window_row, window_column = schedule.get_loops(anchor)
    schedule.reorder(window_row, window_column, vector)
    hold(schedule, anchor, 0, window_column)
    unroll_all(schedule, [own, window_row, window_column, vector])
