"""Pointwise convolutions on the CUDA cores: tiles of shared memory, a tile of sums in each thread's registers."""

from math import ceil

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import WARP
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu import tiled
from tvm_pipeline.schedules.gpu.block_cost import (
    CHANNELS_AT_ONCE,
    REACHED_SHARED_BYTES_PER_CYCLE,
    Tile,
    multiply_cycles,
)
from tvm_pipeline.schedules.gpu.copies import WEIGHT_PITCH, copy_ahead, copy_stages, hold, keep_apart, share
from tvm_pipeline.schedules.gpu.grouped_sum import GroupedSum, share_reduction
from tvm_pipeline.schedules.gpu.thread_block import (
    CHANNELS_PER_THREAD,
    ThreadBlock,
    bind_blocks,
    bind_threads,
    clear_sums,
    compute_in,
    unroll_all,
)

NARROW_TILE = 32
"""With fewer channels, threads side by side read several pixels at once, which must lie in different banks."""

_PARTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Into which any number of pixels is cut; the last part may be smaller."""


class GpuPointwise(tiled.TiledGenerator):
    """A block makes ``tile_m`` pixels by ``tile_n`` channels, a thread ``thread_m`` pixels by four channels.

    ``groups`` of threads share out the input channels and add their sums up at the end, through shared memory. A step
    brings ``step`` channel blocks per group; with two ``stages`` the next step's copies run meanwhile.
    """

    name = "gpu_pointwise"
    version = 1
    kinds = ("pointwise",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        pixels = layer.height * layer.width
        in_blocks = padded_channels(layer.in_channels) // channel_block(layer.in_channels)
        tiles = {*divisors(pixels, 128), *(ceil(pixels / parts) for parts in _PARTS if pixels <= 128 * parts)}
        return {
            "tile_m": tuple(sorted(tiles)),
            "tile_n": tiled.channel_tiles(layer.out_channels, (8, 16, 32, 64, 128)),
            "thread_m": tuple(range(1, min(8, pixels) + 1)),
            "groups": divisors(in_blocks, 16),
            "step": tuple(size for size in (1, 2) if in_blocks % size == 0),
            "stages": copy_stages(unit),
        }

    def considered(self, layer: Layer, unit: GpuUnit) -> Knobs:
        return {**self.knobs(layer, unit), "step": (1,), "stages": copy_stages(unit)[-1:]}

    def tile(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> Tile:
        tile_m, tile_n, thread_m, groups = (decisions[name] for name in ("tile_m", "tile_n", "thread_m", "groups"))
        threads, pixels, size = _threads(decisions), layer.height * layer.width, unit.value_bytes
        inputs, in_lanes = padded_channels(layer.in_channels), channel_block(layer.in_channels)
        blocks = layer.batch * ceil(pixels / tile_m) * padded_channels(layer.out_channels) // tile_n
        step, stages = decisions["step"] * groups, decisions["stages"]
        rounds = inputs / (step * in_lanes)
        adding = groups * tile_m * tile_n * 4 * 2 / REACHED_SHARED_BYTES_PER_CYCLE if groups > 1 else 0
        return Tile(
            threads,
            blocks,
            shared=_shared_bytes(layer, unit, decisions),
            requested=((tile_m + tile_n) * inputs + tile_m * tile_n) * size,
            at_once=stages * (tile_m + tile_n) * inputs / rounds * size,
            busy=multiply_cycles(threads, inputs // groups, thread_m) + adding,
            rounds=rounds / stages,
            is_whole=tile_m % thread_m == 0,
            is_worthwhile=inputs % (step * in_lanes) == 0
            and (threads.count >= WARP or pixels < WARP)
            and (groups > 1 or tiled.fills(unit, blocks, tiled.results_of(layer))),
        )

    def cut(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        kernel, threads = prepare_kernel(schedule), _threads(decisions)
        sums = share_reduction(schedule, kernel.anchor, schedule.get_loops(kernel.anchor)[4], threads.groups)
        n, c, m, lane = schedule.get_loops(kernel.output)
        c, lane, block, inner_lane = tiled.split_channels(schedule, c, lane, decisions["tile_n"])
        m, pixel = schedule.split(m, [None, decisions["tile_m"]])
        schedule.reorder(n, c, lane, m, block, pixel, inner_lane)
        bind_blocks(schedule, m, schedule.fuse(n, c, lane))
        if sums.total is None:
            owner = _share_out(schedule, (block, pixel, inner_lane), threads)
        else:
            owner = _add_up(schedule, sums, m, (block, pixel, inner_lane), threads)
        _accumulate(schedule, sums.anchor, owner, layer, unit, decisions)


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock.of(decisions["groups"], decisions["tile_m"] // decisions["thread_m"], decisions["tile_n"])


def _pitches(layer: Layer, unit: GpuUnit, decisions: Decisions) -> tuple[int | None, int | None]:
    """Values between the starts of two pixels in a narrow tile (whole vectors, and no power of two), and between the
    weights of two blocks of channels, where there are two."""
    narrow = 24 if unit.dtype == "float16" else 20
    has_blocks = decisions["tile_n"] > channel_block(layer.out_channels)
    return narrow if decisions["tile_n"] < NARROW_TILE else None, WEIGHT_PITCH if has_blocks else None


def _shared_bytes(layer: Layer, unit: GpuUnit, decisions: Decisions) -> int:
    tile_m, tile_n, groups = decisions["tile_m"], decisions["tile_n"], decisions["groups"]
    in_lanes, in_blocks = channel_block(layer.in_channels), decisions["step"] * groups
    pitch, apart = _pitches(layer, unit, decisions)
    data, weights = in_blocks * tile_m * (pitch or in_lanes), in_blocks * in_lanes * tile_n
    weights += (apart or 0) * (tile_n // channel_block(layer.out_channels))
    partial = groups * tile_m * tile_n * 4 if groups > 1 else 0
    return decisions["stages"] * (data + weights) * unit.value_bytes + partial


Loops = tuple[LoopRV, LoopRV, LoopRV]
"""A tile's: over blocks of channels, pixels, lanes."""


def _share_out(schedule: Schedule, loops: Loops, threads: ThreadBlock, *, to_groups: bool = False) -> LoopRV:
    """Binds a tile's loops to threads; returns the innermost loop of those bound.

    :param to_groups: whether the groups share out the pixels too.
    """
    block, pixel, lane = loops
    row, own = schedule.split(pixel, [threads.rows, None])
    group = None
    if to_groups:
        group, own = schedule.split(own, [threads.groups, None])
    column, vector = schedule.split(lane, [None, CHANNELS_PER_THREAD])
    schedule.reorder(*([] if group is None else [group]), row, block, column, own, vector)
    column = schedule.fuse(block, column)
    bind_threads(schedule, group, row, column)
    schedule.unroll(own)
    schedule.vectorize(vector)
    return column


def _add_up(schedule: Schedule, sums: GroupedSum, outer: LoopRV, loops: Loops, threads: ThreadBlock) -> LoopRV:
    """The sums of all groups go through shared memory; then each group adds up and stores a part of the pixels."""
    assert sums.partial is not None and sums.total is not None
    compute_in(schedule, sums.total, outer)
    compute_in(schedule, sums.partial, outer)
    _share_out(schedule, loops, threads, to_groups=True)
    group, _, block, pixel, lane = schedule.get_loops(sums.total)[-5:]
    schedule.reorder(block, pixel, lane, group)
    _share_out(schedule, (block, pixel, lane), threads, to_groups=True)
    own, vector, group = schedule.get_loops(sums.total)[-3:]
    schedule.reorder(group, own, vector)
    schedule.unroll(group)
    schedule.decompose_reduction(sums.total, group)
    group, _, block, pixel, lane = schedule.get_loops(sums.partial)[-5:]
    schedule.bind(group, "threadIdx.z")
    return _share_out(schedule, (block, pixel, lane), threads)


def _accumulate(
    schedule: Schedule, anchor: SBlockRV, owner: LoopRV, layer: Layer, unit: GpuUnit, decisions: Decisions
) -> None:
    compute_in(schedule, anchor, owner)
    block, pixel, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    step, ko = schedule.split(ko, [None, decisions["step"]])
    kio, kii = schedule.split(ki, [None, CHANNELS_AT_ONCE])
    schedule.reorder(step, ko, kio, kii, block, pixel, lane)
    data_pitch, weight_pitch = _pitches(layer, unit, decisions)
    for operand, axis, pitch in ((0, 2, data_pitch), (1, 0, weight_pitch)):
        shared = schedule.cache_read(hold(schedule, anchor, operand, kio), 0, "shared")
        share(schedule, shared, step, _threads(decisions), unit.vector_lanes)
        keep_apart(schedule, shared, axis, pitch)
    unroll_all(schedule, [ko, kio, kii, block, pixel, lane])
    clear_sums(schedule, anchor, step)
    if decisions["stages"] > 1:
        copy_ahead(schedule, step)
