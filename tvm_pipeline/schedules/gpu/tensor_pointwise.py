"""Pointwise convolutions on tensor cores: fragments of 16x16 float16 values, sums in float32."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import padded_channels
from tvm_pipeline.hardware.gpu import FRAGMENT, GpuUnit
from tvm_pipeline.hardware.multiprocessor import SHARED_BYTES_PER_CYCLE, WARP
from tvm_pipeline.schedules.annotations import Kernel, prepare_kernel
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu import tensor_cores, tiled
from tvm_pipeline.schedules.gpu.block_cost import Tile
from tvm_pipeline.schedules.gpu.copies import copy_ahead, copy_stages, keep_apart, share, share_padded
from tvm_pipeline.schedules.gpu.grouped_sum import sum_through_shared
from tvm_pipeline.schedules.gpu.thread_block import (
    ThreadBlock,
    bind_blocks,
    bind_threads,
    compute_in,
    loops_below,
    unroll_all,
)
from tvm_pipeline.workloads.tensor_pointwise import fragment_pixels

PITCH = 24
"""Values between the starts of a fragment's rows in shared memory: eight of them then lie in different banks."""

SUM_LANES = 4
"""Results that a thread adds up and stores at once, where there are enough for all threads."""

FRAGMENT_CYCLES = FRAGMENT * FRAGMENT * 2 // SHARED_BYTES_PER_CYCLE
"""Shared memory brings a fragment in so many."""


class GpuTensorPointwise(tiled.TiledGenerator):
    """A block makes ``tile_m`` pixels by ``tile_n`` channels with ``warps_m`` x ``warps_n`` warps per group; ``groups``
    of warps share out the input channels. A step brings ``step`` channel blocks per group; with two ``stages`` the next
    step's copies run meanwhile."""

    name = "gpu_tensor_pointwise"
    version = 1
    kinds = ("tensor_pointwise",)

    def knobs(self, layer: Layer, unit: GpuUnit) -> Knobs:
        in_blocks = padded_channels(layer.in_channels) // FRAGMENT
        return {
            "tile_m": tuple(FRAGMENT * size for size in divisors(fragment_pixels(layer) // FRAGMENT, 8)),
            "tile_n": tuple(FRAGMENT * size for size in divisors(padded_channels(layer.out_channels) // FRAGMENT, 8)),
            "warps_m": (1, 2, 4),
            "warps_n": (1, 2, 4),
            "groups": divisors(in_blocks, 8),
            "step": tuple(size for size in (1, 2, 4) if in_blocks % size == 0),
            "stages": copy_stages(unit),
        }

    def tile(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> Tile:
        tile_m, tile_n, groups = decisions["tile_m"], decisions["tile_n"], decisions["groups"]
        warps_m, warps_n, step, stages = (decisions[name] for name in ("warps_m", "warps_n", "step", "stages"))
        threads, inputs = _threads(decisions), padded_channels(layer.in_channels)
        results = layer.batch * fragment_pixels(layer) * padded_channels(layer.out_channels)
        blocks = results // (tile_m * tile_n)
        multiplying = inputs * tile_m * tile_n / max(1, unit.half_tensor_fma_per_cycle)
        loading = inputs / FRAGMENT * (warps_n * tile_m + warps_m * tile_n) / FRAGMENT * FRAGMENT_CYCLES
        adding = groups * tile_m * tile_n * 4 * 2 / SHARED_BYTES_PER_CYCLE
        brought = stages * groups * step * (tile_m + tile_n)
        is_whole = tile_m % (FRAGMENT * warps_m) == 0 and tile_n % (FRAGMENT * warps_n) == 0
        return Tile(
            threads,
            blocks,
            shared=brought * PITCH * 2 + groups * tile_m * tile_n * 4,
            requested=(tile_m + tile_n) * inputs * 2 + tile_m * tile_n * 2,
            at_once=brought * FRAGMENT * 2,
            busy=multiplying + loading + adding,
            rounds=inputs / (FRAGMENT * groups * step) / stages,
            is_whole=is_whole and tile_m * tile_n % threads.count == 0,
            is_worthwhile=inputs % (FRAGMENT * groups * step) == 0
            and (groups > 1 or tiled.fills(unit, blocks, results)),
        )

    def cut(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        tensor_cores.register()
        kernel = prepare_kernel(schedule)
        *_, ko, _ = schedule.get_loops(kernel.anchor)
        anchor, partial = sum_through_shared(schedule, ko, decisions["groups"], tensor_cores.SUM_SCOPE)
        n, c, m, lane, group = schedule.get_loops(kernel.anchor)
        c, block = schedule.split(c, [None, decisions["tile_n"] // FRAGMENT])
        m, pixel = schedule.split(m, [None, decisions["tile_m"]])
        schedule.reorder(n, c, m, block, pixel, lane, group)
        bind_blocks(schedule, m, schedule.fuse(n, c))
        compute_in(schedule, partial, m)
        _add_up(schedule, kernel, (block, pixel, lane, group), decisions)
        warp, stored_row = _store_fragments(schedule, partial, m, decisions)
        _multiply(schedule, kernel, anchor, warp, unit, decisions)
        schedule.tensorize(stored_row, tensor_cores.STORE)


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock(decisions["groups"], decisions["warps_m"] * decisions["warps_n"], WARP)


def _add_up(
    schedule: Schedule, kernel: Kernel, loops: tuple[LoopRV, LoopRV, LoopRV, LoopRV], decisions: Decisions
) -> None:
    """Each thread adds up what the groups left of a few results, side by side, and stores them."""
    block, pixel, lane, group = loops
    threads, results = _threads(decisions), decisions["tile_m"] * decisions["tile_n"]
    lanes = next(size for size in (SUM_LANES, 2, 1) if results % (size * threads.count) == 0)
    lane, vector = schedule.split(lane, [None, lanes])
    own, z, y, x = schedule.split(schedule.fuse(block, pixel, lane), [None, *threads.extents])
    bind_threads(schedule, z, y, x)
    schedule.reorder(own, z, y, x, group, vector)
    schedule.vectorize(vector)
    unroll_all(schedule, [own, group])
    schedule.reverse_compute_at(kernel.output, x, preserve_unit_loops=True)
    schedule.vectorize(schedule.get_loops(kernel.output)[-1])
    schedule.decompose_reduction(kernel.anchor, group)


def _store_fragments(
    schedule: Schedule, partial: SBlockRV, outer: LoopRV, decisions: Decisions
) -> tuple[LoopRV, LoopRV]:
    """Each warp stores its fragments of sums; returns the loop over warps, and that over a fragment's rows."""
    group, _, block, pixel, _ = loops_below(schedule, partial, outer)
    warp_n, block = schedule.split(block, [decisions["warps_n"], None])
    warp_m, fragment, row = schedule.split(pixel, [decisions["warps_m"], None, FRAGMENT])
    schedule.reorder(warp_m, warp_n, block, fragment, row)
    warp = schedule.fuse(warp_m, warp_n)
    bind_threads(schedule, group, warp, None)
    unroll_all(schedule, [block, fragment])
    return warp, row


def _multiply(
    schedule: Schedule, kernel: Kernel, anchor: SBlockRV, warp: LoopRV, unit: GpuUnit, decisions: Decisions
) -> None:
    """A warp's fragments of sums: what is brought in a step, loaded into fragments, multiplied."""
    threads = _threads(decisions)
    compute_in(schedule, anchor, warp)
    block, pixel, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    step, ko = schedule.split(ko, [None, decisions["step"]])
    fragment, row = schedule.split(pixel, [None, FRAGMENT])
    schedule.reorder(step, ko, block, fragment, row, lane, ki)
    data = schedule.cache_read(anchor, 0, tensor_cores.DATA_SCOPE)
    weight = schedule.cache_read(anchor, 1, tensor_cores.WEIGHT_SCOPE)
    for fragments in (data, weight):
        compute_in(schedule, fragments, ko)
    shared_data = share_padded(schedule, kernel, step, threads, unit.vector_lanes)
    shared_weight = schedule.cache_read(weight, 0, "shared")
    share(schedule, shared_weight, step, threads, unit.vector_lanes)
    for shared in (shared_data, shared_weight):
        keep_apart(schedule, shared, axis=2, pitch=PITCH)
    unroll_all(schedule, [ko, block, fragment])
    _clear_fragments(schedule, anchor, step)
    _load_fragments(schedule, data, tensor_cores.LOAD_DATA)
    _load_fragments(schedule, weight, tensor_cores.LOAD_WEIGHT)
    schedule.tensorize(row, tensor_cores.MULTIPLY)
    if decisions["stages"] > 1:
        copy_ahead(schedule, step)


def _clear_fragments(schedule: Schedule, anchor: SBlockRV, step: LoopRV) -> None:
    clear = schedule.decompose_reduction(anchor, step)
    *_, block, fragment, row, _ = schedule.get_loops(clear)
    unroll_all(schedule, [block, fragment])
    schedule.tensorize(row, tensor_cores.CLEAR)


def _load_fragments(schedule: Schedule, fragments: SBlockRV, intrinsic: str) -> None:
    *outer, rows, columns = schedule.get_loops(fragments)[-4:]
    many, row = schedule.split(rows, [None, FRAGMENT])
    schedule.reorder(many, row, columns)
    unroll_all(schedule, [*outer, many])
    schedule.tensorize(row, intrinsic)
