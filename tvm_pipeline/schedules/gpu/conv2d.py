"""Standard convolutions: tiles of shared memory, a tile of sums in each thread's registers."""

from math import ceil, prod

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, is_blockable, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import warps_of
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu import tiled
from tvm_pipeline.schedules.gpu.block_cost import CHANNELS_AT_ONCE, Tile
from tvm_pipeline.schedules.gpu.copies import FLOAT_LANES, hold, share, share_padded
from tvm_pipeline.schedules.gpu.thread_block import ThreadBlock, bind_threads, clear_sums, compute_in, unroll_all

PLANES_AT_ONCE = 4
"""An image's planes come into shared memory together."""


class GpuConv2d(tiled.TiledGenerator):
    """A block makes ``rows`` x ``columns`` pixels of ``tile_n`` channels, a thread ``thread_w`` pixels of a row by four
    channels. Each step brings one block of input channels, padded, and its weights into shared memory; of an image,
    which is float32, its planes."""

    name = "gpu_conv2d"
    version = 1
    kinds = ("conv2d",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        return {
            "tile_n": tiled.channel_tiles(layer.out_channels, (8, 16, 32, 64)),
            "rows": divisors(layer.out_height, 16),
            "columns": divisors(layer.out_width, 128),
            "thread_w": divisors(layer.out_width, 8),
        }

    def tile(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> Tile:
        tile_n, rows, columns, thread_w = (decisions[name] for name in ("tile_n", "rows", "columns", "thread_w"))
        threads, blocks = _threads(decisions), tiled.results_of(layer) // (rows * columns * tile_n)
        blocked, taps = is_blockable(layer.in_channels), prod(layer.kernel)
        values = _step_channels(layer) * (tiled.input_pixels(layer, rows, columns) + taps * tile_n)
        brought = values * (unit.value_bytes if blocked else 4)
        inputs = padded_channels(layer.in_channels) if blocked else layer.in_channels
        steps = ceil(inputs / _step_channels(layer))
        loads = (0.5 if blocked else 1) * thread_w + 4
        return Tile(
            threads,
            blocks,
            shared=brought,
            requested=steps * brought + rows * columns * tile_n * unit.value_bytes,
            at_once=brought,
            busy=warps_of(threads.count) * inputs * taps * max(2 * thread_w, loads),
            rounds=steps,
            is_whole=columns % thread_w == 0,
            is_worthwhile=tiled.fills(unit, blocks, tiled.results_of(layer)),
        )

    def cut(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        kernel, threads = split_pixels(schedule, prepare_kernel(schedule)), _threads(decisions)
        _, *axes = tiled.cut_rectangle(
            schedule, kernel.output, decisions, decisions["tile_n"], along=decisions["thread_w"]
        )
        bind_threads(schedule, *axes)
        compute_in(schedule, kernel.anchor, axes[-1])
        blocked = is_blockable(layer.in_channels)
        step, inside, unrolled = (_nest_blocks if blocked else _nest_planes)(schedule, kernel.anchor, layer)
        lanes = unit.vector_lanes if blocked else FLOAT_LANES
        weights = hold(schedule, kernel.anchor, 1, inside)
        share(schedule, schedule.cache_read(weights, 0, "shared"), step, threads, lanes)
        hold(schedule, kernel.anchor, 0, inside, CHANNELS_AT_ONCE if blocked else 1)
        share_padded(schedule, kernel, step, threads, lanes if blocked else 1)
        unroll_all(schedule, unrolled)
        clear_sums(schedule, kernel.anchor, step)


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock.of(decisions["rows"], decisions["columns"] // decisions["thread_w"], decisions["tile_n"])


def _step_channels(layer: Layer) -> int:
    if is_blockable(layer.in_channels):
        return channel_block(layer.in_channels)
    return layer.in_channels if layer.in_channels <= PLANES_AT_ONCE else 1


def _nest_blocks(schedule: Schedule, anchor: SBlockRV, _: Layer) -> tuple[LoopRV, LoopRV, list[LoopRV]]:
    """Orders the anchor's loops: the loop over steps, the one whose body holds its operands in registers, and what is
    to be unrolled."""
    *_, own, vector, ko, ry, rx, ki = schedule.get_loops(anchor)
    kio, kii = schedule.split(ki, [None, CHANNELS_AT_ONCE])
    schedule.reorder(ko, ry, rx, kio, kii, own, vector)
    return ko, kio, [kii, own, vector]


def _nest_planes(schedule: Schedule, anchor: SBlockRV, layer: Layer) -> tuple[LoopRV, LoopRV, list[LoopRV]]:
    """The same for an image."""
    *_, own, vector, ko, ry, rx = schedule.get_loops(anchor)
    step, ko = schedule.split(ko, [None, _step_channels(layer)])
    schedule.reorder(step, ko, ry, rx, own, vector)
    return step, rx, [ko, ry, rx, own, vector]
