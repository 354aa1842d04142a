"""Kernels that slide a window over each channel alone: depthwise convolutions and pooling."""

from tvm.s_tir import Schedule

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import channel_block
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.hardware.whole_tiles import in_whole_tiles
from tvm_pipeline.schedules.annotations import prepare_kernel, split_pixels
from tvm_pipeline.schedules.cpu.kernel import slide, split_lanes, unroll, vectorize_lanes, vectorize_rows
from tvm_pipeline.schedules.cpu.register_tile import best_window, vector_knob
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors


class Window:
    """A stripe of ``rows`` output rows of one channel block at a time: its input is padded into a buffer that stays in
    cache, then ``tile_h`` x ``tile_w`` outputs accumulate in registers with the window unrolled."""

    name = "window"
    version = 1
    kinds = ("depthwise", "int8_depthwise", "max_pool", "average_pool")

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            "rows": divisors(layer.out_height, layer.out_height),
            "tile_h": tuple(size for size in (1, 2) if layer.out_height % size == 0),
            "tile_w": divisors(in_whole_tiles(layer.out_width), unit.registers - 4),
            **vector_knob(layer.in_channels, unit),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        tile = best_window(knobs, "tile_w", "tile_v", unit)
        return {"rows": self._rows_in_cache(layer, knobs["rows"]), "tile_h": 1, **tile}

    @staticmethod
    def _rows_in_cache(layer: Layer, rows: tuple[int, ...]) -> int:
        """The tallest stripe whose padded input takes half of a 32 KiB first-level cache, or four rows."""
        row_bytes = (layer.width + layer.padding[1] + layer.padding[3]) * channel_block(layer.in_channels) * 4
        fitting = [size for size in rows if (size - 1) * layer.stride[0] + layer.kernel[0] <= 16 * 1024 // row_bytes]
        at_least = [size for size in rows if size >= 4] or [rows[-1]]
        return max([*fitting, at_least[0]])

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        fits = decisions["tile_h"] * decisions["tile_w"] * decisions.get("tile_v", 1) < unit.registers
        return fits and decisions["rows"] % decisions["tile_h"] == 0

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        kernel = split_pixels(schedule, prepare_kernel(schedule))
        rows, tile_h = decisions["rows"], decisions["tile_h"]
        n, c, y, x, lane = schedule.get_loops(kernel.output)
        stripe, row = schedule.split(y, [None, rows])
        yo, yi = schedule.split(row, [None, tile_h if rows % tile_h == 0 else 1])
        xo, xi = schedule.split(x, [None, decisions["tile_w"]])
        part, lane = split_lanes(schedule, lane, decisions, unit)
        schedule.reorder(n, c, stripe, yo, xo, *part, yi, xi, lane)
        stripes = schedule.fuse(n, c, stripe)
        schedule.parallel(stripes)
        schedule.compute_at(kernel.anchor, (xo, *part)[-1], preserve_unit_loops=True)
        if kernel.padding is not None:
            schedule.compute_at(kernel.padding, stripes, preserve_unit_loops=True)
            vectorize_rows(schedule, kernel.padding, unit)
        unroll(schedule, yi, xi, vectorize_lanes(schedule, lane, unit))
        slide(schedule, kernel.anchor, unit, pixel_loops=2)
