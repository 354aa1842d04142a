"""The first layer of bytes: the planes of an image become pixels of four channels, and a dot product takes a pixel."""

from typing import Any

from tvm import tirx
from tvm.s_tir import Schedule
from tvm.script.ir_builder import tirx as T

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import blocks_and_lanes
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.cpu.int8.written import (
    Arguments,
    Finish,
    add_dot,
    allocate,
    fours_of,
    load,
    load_fours,
    rewrite,
    store,
)
from tvm_pipeline.schedules.cpu.register_tile import best_tile, is_worth_measuring
from tvm_pipeline.schedules.generator import Decisions, Knobs, divisors
from tvm_pipeline.workloads.int8.layers import FOUR, WHOLE

STRIPE_BYTES = 16 * 1024
"""Of pixels that a stripe reads: half of a small first-level cache."""

MOST_SUMS = 8
"""Of a tile: the next begins while results of one are stored (Zen 5: V1's takes 49 us with 4x2, 75 with 14x2)."""


class BytePlanes:
    """A stripe of ``rows`` output rows: its input's pixels are put together in cache, then tiles of ``tile_w`` columns
    by ``tile_n`` vectors of channels accumulate in registers, with the window unrolled."""

    name = "int8_planes"
    version = 1
    kinds = ("int8_dot_conv2d",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        return {
            "rows": divisors(layer.out_height, layer.out_height),
            "tile_w": tuple(range(1, min(unit.registers - 2, layer.out_width) + 1)),
            "tile_n": divisors(_vectors(layer, unit), 8),
        }

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        knobs = self.knobs(layer, unit)
        row_bytes = _columns(layer) * FOUR * layer.stride[0]
        rows = [size for size in knobs["rows"] if size * row_bytes <= STRIPE_BYTES]
        return {"rows": max(rows, default=1), **best_tile(knobs, "tile_w", unit, MOST_SUMS, layer.out_width)}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return is_worth_measuring(decisions["tile_w"], decisions["tile_n"], unit)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        rewrite(schedule, lambda arguments: _Kernel(layer, unit, decisions, arguments).write())


def _columns(layer: Layer) -> int:
    """Of the input with its border, as far as windows reach."""
    return (layer.out_width - 1) * layer.stride[1] + layer.kernel[1]


def _vectors(layer: Layer, unit: VectorUnit) -> int:
    """Of all channels of a pixel."""
    blocks, block = blocks_and_lanes(layer.out_channels)
    return blocks * max(1, block // unit.lanes)


class _Kernel:
    def __init__(self, layer: Layer, unit: VectorUnit, decisions: Decisions, arguments: Arguments) -> None:
        self.layer, self.arguments = layer, arguments
        self.rows, self.tile_w, self.tile_n = (decisions[name] for name in ("rows", "tile_w", "tile_n"))
        self.lanes = min(unit.lanes, blocks_and_lanes(layer.out_channels)[1])
        self.parts = blocks_and_lanes(layer.out_channels)[1] // self.lanes
        self.vectors = _vectors(layer, unit)
        self.in_rows = (self.rows - 1) * layer.stride[0] + layer.kernel[0]
        self.columns = _columns(layer)
        self.finish = Finish(layer, arguments, self.lanes)

    def write(self) -> None:
        """A step makes the pixels of a stripe, and its results."""
        layer = self.layer
        stripes = layer.out_height // self.rows
        whole, rest = divmod(layer.out_width, self.tile_w)
        with T.parallel(0, layer.batch * stripes) as step:
            image, first_row = step // stripes, step % stripes * self.rows
            pixels = allocate("pixels", (self.in_rows, self.columns))
            self._make_pixels(pixels, image, first_row * layer.stride[0] - layer.padding[0])
            with T.grid(self.vectors // self.tile_n, self.rows) as (group, row):
                place = (image, group * self.tile_n, first_row, row)
                with T.serial(0, whole) as tile:
                    self._multiply(pixels, place, tile * self.tile_w, self.tile_w)
                if rest:
                    self._multiply(pixels, place, tirx.const(whole * self.tile_w, WHOLE), rest)

    def _make_pixels(self, pixels: Any, image: Any, first: Any) -> None:
        """Rows from the input's ``first`` on, which may lie above it; a border has its zero point."""
        layer = self.layer
        left = min(layer.padding[1], self.columns)
        right = min(left + layer.width, self.columns)
        with T.serial(0, self.in_rows) as row:
            inside = tirx.all(first + row >= 0, first + row < layer.height)
            self._fill(pixels, row, 0, left)
            self._fill(pixels, row, right, self.columns)
            with T.If(inside):
                with T.Then():
                    self._interleave(pixels, (image, row, first + row), left, right)
                with T.Else():
                    self._fill(pixels, row, left, right)

    def _fill(self, pixels: Any, row: Any, start: int, end: int) -> None:
        def fill(column: Any, lanes: int) -> None:
            store(pixels, [row, column], self.arguments.fours_of_zeros(lanes, self.layer.in_channels), lanes)

        self._cover(start, end, fill)

    def _interleave(self, pixels: Any, place: tuple[Any, Any, Any], start: int, end: int) -> None:
        layer = self.layer
        image, row, in_row = place

        def interleave(column: Any, lanes: int) -> None:
            in_column = column - layer.padding[1]
            planes = [
                load(self.arguments.data, [image, channel, in_row, in_column], lanes)
                for channel in range(layer.in_channels)
            ]
            store(pixels, [row, column], fours_of(planes, lanes), lanes)

        self._cover(start, end, interleave)

    def _cover(self, start: int, end: int, make: Any) -> None:
        """Calls ``make`` for vectors that cover columns, of which the last may overlap the one before it."""
        lanes = self.lanes
        while lanes > max(end - start, 1):
            lanes //= 2
        with T.serial(0, -(-(end - start) // lanes)) as vector:
            make(tirx.min(start + vector * lanes, end - lanes), lanes)

    def _multiply(self, pixels: Any, place: tuple[Any, Any, Any, Any], first: Any, columns: int) -> None:
        """So many columns of results, from the ``first`` on, by a group of vectors of channels."""
        layer, lanes = self.layer, self.lanes
        image, vector, first_row, row = place
        channels = [self._channels(vector + number) for number in range(self.tile_n)]
        sums = allocate("sums", (columns, self.tile_n, lanes))
        tile = [(column, number) for column in range(columns) for number in range(self.tile_n)]
        for column, number in tile:
            store(sums, [column, number, 0], load(self.arguments.bias, channels[number], lanes), lanes)
        for ry, rx in [(ry, rx) for ry in range(layer.kernel[0]) for rx in range(layer.kernel[1])]:
            for column, number in tile:
                block, lane = channels[number]
                place_in = [row * layer.stride[0] + ry, (first + column) * layer.stride[1] + rx]
                pixel = T.broadcast(pixels[tuple(place_in)], lanes)
                weight = load_fours(self.arguments.weight, [block, ry, rx, lane], lanes)
                add_dot(sums, [column, number, 0], pixel, weight, lanes)
        for column, number in tile:
            block, lane = channels[number]
            position = (first_row + row) * layer.out_width + first + column
            total = load(sums, [column, number, 0], lanes)
            self.finish.store([image, block, position, lane], channels[number], total)

    def _channels(self, vector: Any) -> list[Any]:
        """The block and the lane that a vector of channels begins at."""
        return [vector // self.parts, vector % self.parts * self.lanes]
