"""Depthwise layers of bytes: four rows of the input become one of fours, and windows slide over rows of fours."""

from collections.abc import Callable
from dataclasses import dataclass
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
from tvm_pipeline.schedules.generator import Decisions, Knobs
from tvm_pipeline.workloads.int8.layers import FOUR, WHOLE
from tvm_pipeline.workloads.int8.windows import Fours


class ByteWindow:
    """Rows of fours stay in the first-level cache; ``tile_w`` columns of all rows of results that share them accumulate
    in registers, with the window unrolled."""

    name = "int8_window"
    version = 1
    kinds = ("int8_dot_depthwise",)

    def knobs(self, layer: Layer, unit: VectorUnit) -> Knobs:
        most = max(1, (unit.registers - 2) // Fours.of(layer).windows)
        return {"tile_w": tuple(range(1, min(most, layer.out_width) + 1))}

    def default(self, layer: Layer, unit: VectorUnit) -> Decisions:
        most = max(1, unit.registers // 2 // Fours.of(layer).windows)
        sizes = [size for size in self.knobs(layer, unit)["tile_w"] if size <= most]
        return {"tile_w": min(sizes, key=lambda size: (-(-layer.out_width // size), size))}

    def is_sensible(self, layer: Layer, unit: VectorUnit, decisions: Decisions) -> bool:
        return decisions["tile_w"] * Fours.of(layer).windows >= min(4, layer.out_width)

    def apply(self, schedule: Schedule, layer: Layer, unit: VectorUnit, decisions: Decisions) -> None:
        rewrite(schedule, lambda arguments: _Kernel(layer, unit, decisions["tile_w"], arguments).write())


@dataclass(frozen=True)
class _Place:
    """An image, a block of channels and a lane in it, and a group of windows, one below the other, with one set of
    rows."""

    image: Any
    block: Any
    lane: Any
    group: Any


class _Kernel:
    def __init__(self, layer: Layer, unit: VectorUnit, tile: int, arguments: Arguments) -> None:
        self.layer, self.tile, self.arguments = layer, tile, arguments
        self.blocks, self.block = blocks_and_lanes(layer.in_channels)
        self.lanes = min(unit.lanes, self.block)
        self.fours = Fours.of(layer)
        self.columns = (layer.out_width - 1) * layer.stride[1] + layer.kernel[1]
        self.finish = Finish(layer, arguments, self.lanes)

    def write(self) -> None:
        """A step makes the rows of a group, and its results."""
        groups = -(-self.layer.out_height // self.fours.windows)
        whole, rest = divmod(self.layer.out_width, self.tile)
        with T.parallel(0, self.layer.batch * self.blocks * groups) as step:
            rows = allocate("rows", (self.fours.count, self.columns, self.lanes))
            with T.serial(0, self.block // self.lanes) as part:
                image, block = step // groups // self.blocks, step // groups % self.blocks
                place = _Place(image, block, part * self.lanes, step % groups)
                self._make_rows(rows, place)
                with T.serial(0, whole) as tile:
                    self._slide(rows, place, tile * self.tile, self.tile)
                if rest:
                    self._slide(rows, place, tirx.const(whole * self.tile, WHOLE), rest)

    def _make_rows(self, rows: Any, place: _Place) -> None:
        """Inside the image as fast as may be; a group at its upper or lower end asks at each row."""
        layer, fours = self.layer, self.fours
        first = place.group * fours.windows * layer.stride[0] - layer.padding[0]
        left = min(layer.padding[1], self.columns)
        right = min(left + layer.width, self.columns)

        def fill(read: Callable[[Any, Any], Any]) -> None:
            for four in range(fours.count):
                offsets = range(four * FOUR, min(four * FOUR + FOUR, fours.rows))
                with T.serial(0, right - left) as column:
                    made = fours_of([read(first + offset, column) for offset in offsets], self.lanes)
                    store(rows, [four, left + column, 0], made, self.lanes)

        for start, end in ((0, left), (right, self.columns)):
            self._fill_border(rows, start, end)
        skipped = left - layer.padding[1]
        with T.If(tirx.all(first >= 0, first + fours.rows <= layer.height)):
            with T.Then():
                fill(lambda row, column: self._read(place, row, column + skipped))
            with T.Else():
                fill(lambda row, column: self._read_bordered(place, row, column + skipped))

    def _fill_border(self, rows: Any, start: int, end: int) -> None:
        """Zero points in the rows that windows have; a four's other rows are zero, as inside the image."""
        for four in range(self.fours.count):
            filling = self.arguments.fours_of_zeros(self.lanes, min(FOUR, self.fours.rows - four * FOUR))
            with T.serial(0, end - start) as column:
                store(rows, [four, start + column, 0], filling, self.lanes)

    def _read(self, place: _Place, row: Any, column: Any) -> Any:
        pixel = row * self.layer.width + column
        return load(self.arguments.data, [place.image, place.block, pixel, place.lane], self.lanes)

    def _read_bordered(self, place: _Place, row: Any, column: Any) -> Any:
        """The input's zero point above and below the image."""
        last = self.layer.height - 1
        value = self._read(place, tirx.max(tirx.min(row, last), 0), column)
        zero = self.arguments.zeros_in(self.lanes)
        return tirx.if_then_else(tirx.all(row >= 0, row <= last), value, zero)

    def _slide(self, rows: Any, place: _Place, first: Any, columns: int) -> None:
        """So many columns of results, from the ``first`` on, of all windows."""
        arguments, lanes = self.arguments, self.lanes
        sums = allocate("sums", (self.fours.windows, columns, lanes))
        tile = [(window, column) for window in range(self.fours.windows) for column in range(columns)]
        for window, column in tile:
            store(sums, [window, column, 0], load(arguments.bias, [place.block, place.lane], lanes), lanes)
        for four, tap in [(four, tap) for four in range(self.fours.count) for tap in range(self.layer.kernel[1])]:
            for window, column in tile:
                data = load(rows, [four, (first + column) * self.layer.stride[1] + tap, 0], lanes)
                weight = load_fours(arguments.weight, [place.block, window, four, tap, place.lane], lanes)
                add_dot(sums, [window, column, 0], data, weight, lanes)
        for window, column in tile:
            self._store(place, window, first + column, load(sums, [window, column, 0], lanes))

    def _store(self, place: _Place, window: int, column: Any, total: Any) -> None:
        layer = self.layer
        row = place.group * self.fours.windows + window
        index = [place.image, place.block, row * layer.out_width + column, place.lane]
        if window < layer.out_height % self.fours.windows or layer.out_height % self.fours.windows == 0:
            self.finish.store(index, [place.block, place.lane], total)
            return
        with T.If(row < layer.out_height), T.Then():
            self.finish.store(index, [place.block, place.lane], total)
