"""Pointwise convolutions on tensor cores: fragments of 16x16 float16 values, sums in float32."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import padded_channels
from tvm_pipeline.hardware.gpu import FRAGMENT, GpuUnit
from tvm_pipeline.hardware.multiprocessor import MOST_THREADS, STATIC_SHARED_BYTES, WARP
from tvm_pipeline.schedules.annotations import Kernel, prepare_kernel
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.schedules.gpu import tensor_cores
from tvm_pipeline.schedules.gpu.block_cost import BlockCost, cheapest, fills
from tvm_pipeline.schedules.gpu.grouped_sum import sum_through_shared
from tvm_pipeline.schedules.gpu.pipelining import copy_ahead, copy_stages
from tvm_pipeline.schedules.gpu.thread_block import (
    ThreadBlock,
    bind_blocks,
    bind_threads,
    copy_by_threads,
    loops_below,
    unroll_all,
)
from tvm_pipeline.workloads.tensor_pointwise import fragment_pixels

PITCH = 24
"""Values between the starts of a fragment's rows in shared memory: eight of them then lie in different banks."""

SUM_LANES = 4
"""Results that a thread adds up and stores at once, where there are enough for all threads."""


class GpuTensorPointwise:
    """A block makes ``tile_m`` pixels by ``tile_n`` channels with ``warps_m`` x ``warps_n`` warps per group; ``groups``
    of warps share out the input channels. A step brings ``step`` channel blocks per group."""

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

    def default(self, layer: Layer, unit: GpuUnit) -> Decisions:
        return cheapest(
            self.knobs(layer, unit),
            lambda point: self.is_sensible(layer, unit, point),
            lambda point: _cycles(layer, unit, point),
        )

    def is_sensible(self, layer: Layer, unit: GpuUnit, decisions: Decisions) -> bool:
        in_blocks = padded_channels(layer.in_channels) // FRAGMENT
        threads = _threads(decisions).threads
        return (
            _is_possible(decisions)
            and in_blocks % (decisions["groups"] * decisions["step"]) == 0
            and (decisions["groups"] > 1 or fills(unit, _blocks(layer, decisions), _results(layer)))
            and threads <= MOST_THREADS
            and _shared_bytes(unit, decisions) <= STATIC_SHARED_BYTES
        )

    def apply(self, schedule: Schedule, layer: Layer, unit: GpuUnit, decisions: Decisions) -> None:
        if not _is_possible(decisions):
            raise ValueError(f"no whole number of fragments or results per warp: {dict(decisions)}")
        tensor_cores.register()
        kernel = prepare_kernel(schedule)
        *_, ko, _ = schedule.get_loops(kernel.anchor)
        anchor, partial = sum_through_shared(schedule, ko, decisions["groups"], tensor_cores.SUM_SCOPE)
        n, c, m, lane, group = schedule.get_loops(kernel.anchor)
        co, ci = schedule.split(c, [None, decisions["tile_n"] // FRAGMENT])
        mo, mi = schedule.split(m, [None, decisions["tile_m"]])
        schedule.reorder(n, co, mo, ci, mi, lane, group)
        channels = schedule.fuse(n, co)
        bind_blocks(schedule, mo, channels)
        schedule.compute_at(partial, mo, preserve_unit_loops=True)
        _add_up(schedule, kernel, (ci, mi, lane, group), decisions)
        warp, stored_row = _store_fragments(schedule, partial, mo, decisions)
        _multiply(schedule, kernel, anchor, warp, unit, decisions)
        schedule.tensorize(stored_row, tensor_cores.STORE)


def _threads(decisions: Decisions) -> ThreadBlock:
    return ThreadBlock(decisions["groups"], decisions["warps_m"] * decisions["warps_n"], WARP)


def _is_possible(decisions: Decisions) -> bool:
    tile_m, tile_n = decisions["tile_m"], decisions["tile_n"]
    whole = tile_m % (FRAGMENT * decisions["warps_m"]) == 0 and tile_n % (FRAGMENT * decisions["warps_n"]) == 0
    return whole and tile_m * tile_n % _threads(decisions).threads == 0


def _add_up(
    schedule: Schedule, kernel: Kernel, tile: tuple[LoopRV, LoopRV, LoopRV, LoopRV], decisions: Decisions
) -> None:
    """Each thread adds up what the groups left of a few results, side by side, and stores them."""
    block, pixel, lane, group = tile
    threads = _threads(decisions)
    results = decisions["tile_m"] * decisions["tile_n"]
    lanes = next(size for size in (SUM_LANES, 2, 1) if results % (size * threads.threads) == 0)
    lane, vector = schedule.split(lane, [None, lanes])
    fused = schedule.fuse(block, pixel, lane)
    own, z, y, x = schedule.split(fused, [None, *threads.extents])
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
    schedule.compute_at(anchor, warp, preserve_unit_loops=True)
    block, pixel, lane, ko, ki = schedule.get_loops(anchor)[-5:]
    step, ko = schedule.split(ko, [None, decisions["step"]])
    fragment, row = schedule.split(pixel, [None, FRAGMENT])
    schedule.reorder(step, ko, block, fragment, row, lane, ki)
    data = schedule.cache_read(anchor, 0, tensor_cores.DATA_SCOPE)
    weight = schedule.cache_read(anchor, 1, tensor_cores.WEIGHT_SCOPE)
    for fragments in (data, weight):
        schedule.compute_at(fragments, ko, preserve_unit_loops=True)
    assert kernel.padding is not None
    schedule.set_scope(kernel.padding, 0, "shared")
    for shared in (kernel.padding, schedule.cache_read(weight, 0, "shared")):
        schedule.compute_at(shared, step, preserve_unit_loops=True)
        schedule.storage_align(shared, 0, axis=2, factor=32, offset=PITCH)
        copy_by_threads(schedule, shared, 4, _threads(decisions), unit.vector_lanes)
    unroll_all(schedule, [ko, block, fragment])
    clear = schedule.decompose_reduction(anchor, step)
    *_, clear_block, clear_fragment, clear_row, _ = schedule.get_loops(clear)
    unroll_all(schedule, [clear_block, clear_fragment])
    schedule.tensorize(clear_row, tensor_cores.CLEAR)
    _load_fragments(schedule, data, tensor_cores.LOAD_DATA)
    _load_fragments(schedule, weight, tensor_cores.LOAD_WEIGHT)
    schedule.tensorize(row, tensor_cores.MULTIPLY)
    if decisions["stages"] > 1:
        copy_ahead(schedule, step)


def _load_fragments(schedule: Schedule, fragments: SBlockRV, intrinsic: str) -> None:
    *outer, rows, columns = schedule.get_loops(fragments)[-4:]
    many, row = schedule.split(rows, [None, FRAGMENT])
    schedule.reorder(many, row, columns)
    unroll_all(schedule, [*outer, many])
    schedule.tensorize(row, intrinsic)


def _shared_bytes(unit: GpuUnit, decisions: Decisions) -> int:
    tile_m, tile_n, groups = decisions["tile_m"], decisions["tile_n"], decisions["groups"]
    brought = groups * decisions["step"] * (tile_m + tile_n) * PITCH * 2
    return decisions["stages"] * brought + groups * tile_m * tile_n * 4


def _results(layer: Layer) -> int:
    return layer.batch * fragment_pixels(layer) * padded_channels(layer.out_channels)


def _blocks(layer: Layer, decisions: Decisions) -> int:
    return _results(layer) // (decisions["tile_m"] * decisions["tile_n"])


def _cycles(layer: Layer, unit: GpuUnit, decisions: Decisions) -> float:
    tile_m, tile_n, groups = decisions["tile_m"], decisions["tile_n"], decisions["groups"]
    inputs = padded_channels(layer.in_channels)
    steps = inputs / (FRAGMENT * groups * decisions["step"])
    products = inputs * tile_m * tile_n / max(1, unit.half_tensor_fma_per_cycle)
    # a fragment is 512 bytes, of which shared memory brings 128 in a cycle
    loads = inputs / FRAGMENT * (decisions["warps_n"] * tile_m + decisions["warps_m"] * tile_n) / FRAGMENT * 4
    adding = groups * tile_m * tile_n * 4 * 2 / 128
    requested = (tile_m + tile_n) * inputs * 2 + tile_m * tile_n * 2
    at_once = decisions["stages"] * groups * decisions["step"] * (tile_m + tile_n) * FRAGMENT * 2
    threads = _threads(decisions).threads
    cost = BlockCost(
        threads,
        requested,
        at_once,
        products + loads + adding,
        _shared_bytes(unit, decisions),
        steps / decisions["stages"],
    )
    return cost.cycles(unit, _blocks(layer, decisions))
