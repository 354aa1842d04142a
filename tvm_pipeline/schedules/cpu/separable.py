"""Depthwise and pointwise convolution in one kernel: a stripe of the first is what the second reads next."""

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import LoopRV, SBlockRV

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count, padded_channels
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import (
    PREFETCH_STRIPE,
    Kernel,
    prepare_inner_kernel,
    prepare_kernel,
    split_pixels,
)
from tvm_pipeline.schedules.cpu.kernel import (
    CHANNELS_OUTER,
    PIXELS_OUTER,
    RegisterTile,
    accumulate_products,
    cut_tiles,
    slide,
    split_lanes,
    unroll,
    vectorize_lanes,
)
from tvm_pipeline.schedules.cpu.register_tile import (
    best_tile,
    best_window,
    default_step,
    has_room_for_inputs,
    is_worth_measuring,
    step_sizes,
    tile_knobs,
    tile_width,
    vector_knob,
)
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors

STRIPE_BYTES = 64 * 1024
"""Of a stripe's input: what is made of it is not larger, and stays in the second-level cache beside the weights."""

PREFETCHED_WEIGHT_BYTES = 32 * 1024
"""Of the pointwise half: with more, a step is long enough for the hardware's own prefetchers."""

NO_PREFETCH, PREFETCH_NEXT_STRIPE = 0, 1


class Separable:
    """Stripes of ``rows`` output rows: first the depthwise half, ``window_w`` outputs of one channel block at a time,
    then the pointwise one in register tiles of ``tile_w`` pixels of a row by ``tile_n`` channel blocks. Meanwhile the
    input of the next stripe is asked for."""

    name = "separable"
    version = 1
    kinds = ("separable",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            "rows": divisors(layer.out_height, 16),
            "window_w": divisors(layer.out_width, unit.registers - 4),
            **vector_knob(layer.in_channels, unit, "window_v"),
            **tile_knobs("tile_w", layer.out_width, block_count(layer.out_channels), layer, unit),
            "outer": (PIXELS_OUTER, CHANNELS_OUTER),
            "unroll_k": step_sizes(layer.in_channels, unit),
            "prefetch": (NO_PREFETCH, PREFETCH_NEXT_STRIPE),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        row_bytes = layer.stride[0] * layer.width * layer.in_channels * 4
        small = padded_channels(layer.out_channels) * layer.in_channels * 4 <= PREFETCHED_WEIGHT_BYTES
        return {
            "rows": max([size for size in knobs["rows"] if size * row_bytes <= STRIPE_BYTES] or [1]),
            **best_window(knobs, "window_w", "window_v", unit),
            **best_tile(knobs, "tile_w", unit),
            "outer": PIXELS_OUTER,
            "unroll_k": default_step(knobs["unroll_k"], unit),
            "prefetch": PREFETCH_NEXT_STRIPE if small and not unit.multiplies_by_lane else NO_PREFETCH,
        }

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        tile = decisions["tile_w"], tile_width(decisions)
        inner_vectors = decisions["window_w"] * decisions.get("window_v", 1)
        fits_outside = is_worth_measuring(*tile, unit) and has_room_for_inputs(*tile, unit)
        return fits_outside and inner_vectors < unit.registers

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        inner = prepare_inner_kernel(schedule)
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        stripe, row = schedule.split(y, [None, decisions["rows"]])
        tiles, tile = cut_tiles(schedule, RegisterTile(x, c, lane), decisions["tile_w"], decisions, unit, [row])
        schedule.reorder(n, stripe, *tiles, tile.block, tile.pixel, tile.lane)
        stripes = schedule.fuse(n, stripe)
        schedule.parallel(stripes)
        schedule.compute_at(kernel.anchor, tiles[-1], preserve_unit_loops=True)
        unroll(schedule, tile.block, tile.pixel, vectorize_lanes(schedule, tile.lane, unit))
        self._multiply(schedule, kernel.anchor, unit, decisions)
        self._convolve(schedule, inner, stripes, unit, decisions)

    @staticmethod
    def _convolve(schedule: Schedule, inner: Kernel, stripes: LoopRV, unit: VectorUnit, decisions: Decisions) -> None:
        """The depthwise half of a stripe."""
        schedule.compute_at(inner.output, stripes, preserve_unit_loops=True)
        x, lane = schedule.get_loops(inner.output)[-2:]
        xo, xi = schedule.split(x, [None, decisions["window_w"]])
        part, lane = split_lanes(schedule, lane, decisions, unit, "window_v")
        schedule.reorder(xo, *part, xi, lane)
        schedule.compute_at(inner.anchor, (xo, *part)[-1], preserve_unit_loops=True)
        unroll(schedule, xi, vectorize_lanes(schedule, lane, unit))
        slide(schedule, inner.anchor, unit, pixel_loops=1)

    @staticmethod
    def _multiply(schedule: Schedule, anchor: SBlockRV, unit: VectorUnit, decisions: Decisions) -> None:
        """The pointwise half of a stripe."""
        block, _row, pixel, lane, *_ = schedule.get_loops(anchor)[-6:]
        tile = RegisterTile(pixel, block, lane)
        step, _ = accumulate_products(schedule, anchor, unit, decisions, tile, outside=1)
        if decisions["prefetch"] == PREFETCH_NEXT_STRIPE:
            schedule.annotate(step, PREFETCH_STRIPE, decisions["rows"])
