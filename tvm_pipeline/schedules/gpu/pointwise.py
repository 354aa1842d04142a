"""Pointwise convolutions on the CUDA cores: tiles of shared memory, a tile of sums in each thread's registers."""

from itertools import product
from math import ceil

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block, padded_channels
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.hardware.multiprocessor import MOST_THREADS, STATIC_SHARED_BYTES, WARP, warps_of
from tvm_pipeline.schedules.annotations import prepare_kernel
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu.block_cost import BlockCost, fills, results_of
from tvm_pipeline.schedules.gpu.grouped_sum import GroupedSum, share_reduction
from tvm_pipeline.schedules.gpu.pipelining import copy_ahead, copy_stages
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
"""Input channels that a thread loads at once: a vector of each of its pixels."""

NARROW_TILE = 32
"""With fewer channels, threads side by side read several pixels at once, which must lie in different banks."""

WEIGHT_PITCH = 16
"""Values between two channel blocks' weights, so that neither meets the other in a bank of shared memory."""

_PARTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Into which any number of pixels is cut; the last part may be smaller."""


class GpuPointwise:
    """A block makes ``tile_m`` pixels by ``tile_n`` channels, a thread ``thread_m`` pixels by four channels.

    ``groups`` of threads share out the input channels and add their sums up at the end, through shared memory. A step
    brings ``step`` channel blocks per group; with two ``stages`` the next step's copies run meanwhile.
    """

    name = "gpu_pointwise"
    version = 1
    kinds = ("pointwise",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        pixels = layer.height * layer.width
        channels, lanes = padded_channels(layer.out_channels), channel_block(layer.out_channels)
        in_blocks = padded_channels(layer.in_channels) // channel_block(layer.in_channels)
        tiles = {*divisors(pixels, 128), *(ceil(pixels / parts) for parts in _PARTS if pixels <= 128 * parts)}
        return {
            "tile_m": tuple(sorted(tiles)),
            "tile_n": tuple(size for size in (8, 16, 32, 64, 128) if lanes % size == 0 or channels % size == 0),
            "thread_m": tuple(range(1, min(8, pixels) + 1)),
            "groups": tuple(size for size in divisors(in_blocks, 16)),
            "step": tuple(size for size in (1, 2) if in_blocks % size == 0),
            "stages": copy_stages(unit),
        }

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        points = [
            {**dict(zip(knobs, values, strict=False)), "step": 1, "stages": knobs["stages"][-1]}
            for values in product(*list(knobs.values())[:4])
        ]
        sensible = [point for point in points if self.is_sensible(layer, unit, point)]
        return min(sensible or points, key=lambda point: _cycles(layer, unit, point))

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        if decisions["tile_m"] % decisions["thread_m"]:
            return False
        in_blocks = padded_channels(layer.in_channels) // channel_block(layer.in_channels)
        if in_blocks % (decisions["groups"] * decisions["step"]):
            return False
        threads = _threads(decisions).threads
        is_filled = threads >= WARP or layer.height * layer.width < WARP
        if decisions["groups"] == 1 and not fills(unit, _blocks(layer, decisions), results_of(layer)):
            return False
        fits = _shared_bytes(layer, unit, decisions) <= STATIC_SHARED_BYTES
        return is_filled and threads <= MOST_THREADS and fits

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        if decisions["tile_m"] % decisions["thread_m"]:
            raise ValueError(f"tiles of {decisions['tile_m']} pixels are no multiple of {decisions['thread_m']}")
        kernel = prepare_kernel(schedule)
        parts = share_reduction(schedule, kernel.anchor, schedule.get_loops(kernel.anchor)[4], decisions["groups"])
        lanes = channel_block(layer.out_channels)
        n, c, m, lane = schedule.get_loops(kernel.output)
        co, ci = schedule.split(c, [None, max(1, decisions["tile_n"] // lanes)])
        lo, li = schedule.split(lane, [None, min(decisions["tile_n"], lanes)])
        mo, mi = schedule.split(m, [None, decisions["tile_m"]])
        schedule.reorder(n, co, lo, mo, ci, mi, li)
        channels = schedule.fuse(n, co, lo)
        bind_blocks(schedule, mo, channels)
        threads = _threads(decisions)
        if parts.total is None:
            owner = _share_out(schedule, (ci, mi, li), threads, shared_groups=False)
        else:
            owner = _add_up(schedule, parts, mo, (ci, mi, li), threads)
        _accumulate(schedule, parts.anchor, owner, layer, unit, decisions)


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock(
        decisions["groups"],
        decisions["tile_m"] // decisions["thread_m"],
        decisions["tile_n"] // CHANNELS_PER_THREAD,
    )


def _share_out(
    schedule: Schedule, tile: tuple[LoopRV, LoopRV, LoopRV], threads: ThreadBlock, *, shared_groups: bool
) -> LoopRV:
    """Binds a tile's loops (channel block, pixel, lane) to threads; returns the innermost loop of those bound.

    With ``shared_groups`` the groups share out the pixels too.
    """
    block, pixel, lane = tile
    row, own = schedule.split(pixel, [threads.rows, None])
    group = None
    if shared_groups:
        group, own = schedule.split(own, [threads.groups, None])
    column, vector = schedule.split(lane, [None, CHANNELS_PER_THREAD])
    schedule.reorder(*([group] if group is not None else []), row, block, column, own, vector)
    column = schedule.fuse(block, column)
    bind_threads(schedule, group, row, column)
    schedule.unroll(own)
    schedule.vectorize(vector)
    return column


def _add_up(
    schedule: Schedule,
    parts: GroupedSum,
    outer: LoopRV,
    tile: tuple[LoopRV, LoopRV, LoopRV],
    threads: ThreadBlock,
) -> LoopRV:
    """The sums of all groups go through shared memory; then each group adds up and stores a part of the pixels."""
    assert parts.partial is not None and parts.total is not None
    schedule.compute_at(parts.total, outer, preserve_unit_loops=True)
    schedule.compute_at(parts.partial, outer, preserve_unit_loops=True)
    _share_out(schedule, tile, threads, shared_groups=True)
    group, _, block, pixel, lane = schedule.get_loops(parts.total)[-5:]
    schedule.reorder(block, pixel, lane, group)
    _share_out(schedule, (block, pixel, lane), threads, shared_groups=True)
    own, vector, group = schedule.get_loops(parts.total)[-3:]
    schedule.reorder(group, own, vector)
    schedule.unroll(group)
    schedule.decompose_reduction(parts.total, group)
    group, _, block, pixel, lane = schedule.get_loops(parts.partial)[-5:]
    schedule.bind(group, "threadIdx.z")
    return _share_out(schedule, (block, pixel, lane), threads, shared_groups=False)


def _accumulate(
    schedule: Schedule, anchor: SBlockRV, owner: LoopRV, layer: Layer, unit: GpuUnit, decisions: Decisions
) -> None:
    threads = _threads(decisions)
    schedule.compute_at(anchor, owner, preserve_unit_loops=True)
    block, pixel, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    step, ko = schedule.split(ko, [None, decisions["step"]])
    kio, kii = schedule.split(ki, [None, REDUCTION_STEP])
    schedule.reorder(step, ko, kio, kii, block, pixel, lane)
    lanes = unit.vector_lanes
    for operand in (0, 1):
        registers = schedule.cache_read(anchor, operand, "local")
        schedule.compute_at(registers, kio, preserve_unit_loops=True)
        shared = schedule.cache_read(registers, 0, "shared")
        schedule.compute_at(shared, step, preserve_unit_loops=True)
        if operand == 0 and decisions["tile_n"] < NARROW_TILE:
            schedule.storage_align(shared, 0, axis=2, factor=32, offset=_data_pitch(unit))
        if operand == 1 and decisions["tile_n"] > channel_block(layer.out_channels):
            schedule.storage_align(shared, 0, axis=0, factor=32, offset=WEIGHT_PITCH)
        copy_by_threads(schedule, shared, 4, threads, lanes)
        copy_to_registers(schedule, registers, 4, REDUCTION_STEP)
    unroll_all(schedule, [ko, kio, kii, block, pixel, lane])
    clear = schedule.decompose_reduction(anchor, step)
    unroll_all(schedule, schedule.get_loops(clear)[-3:])
    if decisions["stages"] > 1:
        copy_ahead(schedule, step)


def _data_pitch(unit: GpuUnit) -> int:
    """Values between the starts of two pixels in a narrow tile: whole vectors, and no power of two."""
    return 24 if unit.value_bytes == 2 else 20


def _shared_bytes(layer: Layer, unit: GpuUnit, decisions: Decisions) -> int:
    in_lanes, lanes = channel_block(layer.in_channels), channel_block(layer.out_channels)
    tile_m, tile_n, groups = decisions["tile_m"], decisions["tile_n"], decisions["groups"]
    step = decisions["step"] * groups * in_lanes
    pitch = in_lanes if tile_n >= NARROW_TILE else _data_pitch(unit)
    apart = WEIGHT_PITCH * (tile_n // lanes) if tile_n > lanes else 0
    values = step // in_lanes * tile_m * pitch + step * tile_n + apart
    partial = groups * tile_m * tile_n * 4 if groups > 1 else 0
    return decisions["stages"] * values * unit.value_bytes + partial


def _blocks(layer: Layer, decisions: Decisions) -> int:
    tiles = ceil(layer.height * layer.width / decisions["tile_m"])
    return layer.batch * tiles * padded_channels(layer.out_channels) // decisions["tile_n"]


def _cycles(layer: Layer, unit: GpuUnit, decisions: Decisions) -> float:
    tile_m, tile_n, thread_m, groups = (decisions[name] for name in ("tile_m", "tile_n", "thread_m", "groups"))
    inputs, in_lanes = padded_channels(layer.in_channels), channel_block(layer.in_channels)
    threads, size = _threads(decisions).threads, unit.value_bytes
    steps = inputs / (decisions["step"] * in_lanes * groups)
    # four input channels: 16 multiply-adds per pixel, half a cycle each; vectors of a pixel and of weights take four
    busy = warps_of(threads) * inputs / groups / REDUCTION_STEP * max(8 * thread_m, 4 * thread_m + 16)
    adding = groups * tile_m * tile_n * 4 * 2 / 64 if groups > 1 else 0
    requested = (tile_m + tile_n) * inputs * size + tile_m * tile_n * size
    at_once = decisions["stages"] * (tile_m + tile_n) * inputs / steps * size
    shared = _shared_bytes(layer, unit, decisions)
    rounds = steps / decisions["stages"]
    return BlockCost(threads, requested, at_once, busy + adding, shared, rounds).cycles(unit, _blocks(layer, decisions))
