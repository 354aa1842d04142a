"""Products of matrices whose sizes divide by nothing in particular, written loop by loop: no schedule primitive makes
of a remainder a tile of its own.

A panel of columns is packed into vectors; tiles of rows pass over it, their sums in registers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T

from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import MULT_ADDS, WRITTEN
from tvm_pipeline.schedules.cpu.register_tile import fits, register_tile_cost
from tvm_pipeline.workloads.epilogue import ACTIVATIONS
from tvm_pipeline.workloads.product import Product, broadcast_strides
from tvm_pipeline.workloads.registry import OP_PATTERN_OPAQUE

LABEL = "matmul/1"

MOST_ROWS, MOST_BLOCKS = 14, 6
"""Of a tile: more fit into no register file."""

TRANSPOSED = 16
"""Values of a row that are read as a vector before they are stored across."""


@dataclass(frozen=True)
class Panel:
    """``count`` panels side by side of ``blocks`` vectors each, from vector ``first`` on.

    :ivar columns: of the last vector of the last panel.
    """

    first: int
    count: int
    blocks: int
    columns: int


@dataclass(frozen=True)
class Tiling:
    """``lanes`` columns are a vector; a tile has ``rows`` by at most ``blocks`` vectors."""

    lanes: int
    rows: int
    blocks: int

    def panels(self, columns: int) -> Iterator[Panel]:
        """All columns: whole panels, and what is left over."""
        whole = columns // (self.lanes * self.blocks)
        if whole:
            yield Panel(0, whole, self.blocks, self.lanes)
        rest = columns - whole * self.lanes * self.blocks
        if rest:
            blocks = -(-rest // self.lanes)
            yield Panel(whole * self.blocks, 1, blocks, rest - (blocks - 1) * self.lanes)


def tiling_of(product: Product, unit: VectorUnit) -> Tiling:
    """The tile that loads least for all results, remainders counted as they are."""
    lanes = unit.lanes
    blocks = -(-product.columns // lanes)

    def cost(rows: int, width: int) -> float:
        parts = [(rows, product.rows // rows), (product.rows % rows, 1)]
        sides = [(width, blocks // width), (blocks % width, 1)]
        return sum(
            count * times * row * side * register_tile_cost(row, side, unit)
            for row, count in parts
            for side, times in sides
            if row and side
        )

    sizes = [
        (rows, width)
        for rows in range(1, min(product.rows, MOST_ROWS) + 1)
        for width in range(1, min(blocks, MOST_BLOCKS) + 1)
        if fits(rows, width, unit)
    ]
    rows, width = min(sizes, key=lambda size: cost(*size))
    return Tiling(lanes, rows, width)


def matmul(product: Product, unit: VectorUnit) -> tirx.PrimFunc:
    """The kernel, with its loops as they are to run. Arguments: both operands, bias, residual (if any), result."""
    tiling = tiling_of(product, unit)
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(product.name)
        marks = {WRITTEN: LABEL, MULT_ADDS: product.mult_adds}
        T.func_attr({"tirx.noalias": True, "op_pattern": OP_PATTERN_OPAQUE, **marks})
        kernel = _Kernel(product, tiling)
        with T.sblock("root"):
            T.reads([])
            T.writes([])
            for panel in tiling.panels(product.columns):
                kernel.panel(panel)
    return builder.get()


class _Kernel:
    def __init__(self, product: Product, tiling: Tiling) -> None:
        self.product, self.tiling = product, tiling
        lanes, batches = tiling.lanes, (prod(product.left[:-2]), prod(product.right[:-2]))
        sides = (product.columns, product.inner) if product.transposed else (product.inner, product.columns)
        weights = (-(-product.columns // lanes), product.inner, lanes)
        self.left = _argument("left", (batches[0], product.rows, product.inner))
        self.right = _argument("right", weights if product.packed else (batches[1], *sides))
        self.bias: Any = _argument("bias", (product.columns,)) if "bias" in product.epilogue else None
        result = (prod(product.batch), product.rows, product.columns)
        self.residual: Any = _argument("residual", result) if "add" in product.epilogue else None
        self.result = _argument("result", result)

    def panel(self, panel: Panel) -> None:
        """All rows of all pairs of matrices by the panels' columns."""
        product, tiling = self.product, self.tiling
        with T.parallel(0, prod(product.batch) * panel.count) as step:
            pair, block = step // panel.count, step % panel.count * panel.blocks + panel.first
            left, right = (_operand(pair, shape[:-2], product.batch) for shape in (product.left, product.right))
            weight = self._packed(right, block, panel)
            whole, rest = divmod(product.rows, tiling.rows)
            with T.serial(0, whole) as tile:
                self._tile((pair, left, tile * tiling.rows, block), tiling.rows, panel, weight)
            if rest:
                self._tile((pair, left, tirx.const(whole * tiling.rows, "int32"), block), rest, panel, weight)

    def _packed(self, matrix: Any, block: Any, panel: Panel) -> Callable[[int, Any, Any], Any]:
        """What reads the panel's value at (vector, k, lane): constant weights as they lie, else a packed copy."""
        if self.product.packed:
            return lambda column, k, lane: self.right[block + column, k, lane]
        lanes, inner = self.tiling.lanes, self.product.inner
        packed = _allocate("packed", (panel.blocks, inner, lanes), "global")
        for column in range(panel.blocks):
            first = (block + column) * lanes
            columns = panel.columns if column == panel.blocks - 1 else lanes
            if self.product.transposed:
                self._pack_rows(packed, matrix, column, first, columns)
            else:
                with T.serial(0, inner) as k:
                    for start, width in pieces(columns, lanes):
                        with _vector(width) as lane:
                            T.buffer_store(
                                packed, self.right[matrix, k, first + start + lane], [column, k, start + lane]
                            )
        return lambda column, k, lane: packed[column, k, lane]

    def _pack_rows(self, packed: Any, matrix: Any, column: int, first: Any, columns: int) -> None:
        for start, width, count in runs(self.product.inner, TRANSPOSED):
            with T.serial(0, count) as step:
                for row in range(columns):
                    with _vector(width) as k:
                        place = step * width + k + start
                        T.buffer_store(packed, self.right[matrix, first + row, place], [column, place, row])

    def _tile(self, place: tuple[Any, ...], rows: int, panel: Panel, weight: Callable[[int, Any, Any], Any]) -> None:
        """Sums of ``rows`` by the panel's vectors, made in registers and stored."""
        pair, left, row, block = place
        lanes = self.tiling.lanes
        sums = _allocate("sums", (rows, panel.blocks, lanes), "local")
        tile = [(line, column) for line in range(rows) for column in range(panel.blocks)]
        for line, column in tile:
            with _vector(lanes) as lane:
                T.buffer_store(sums, tirx.const(0.0, "float32"), [line, column, lane])
        with T.serial(0, self.product.inner) as k:
            for line, column in tile:
                with _vector(lanes) as lane:
                    value = self.left[left, row + line, k] * weight(column, k, lane)
                    T.buffer_store(sums, sums[line, column, lane] + value, [line, column, lane])
        for line, column in tile:
            columns = panel.columns if column == panel.blocks - 1 else lanes
            for start, width in pieces(columns, lanes):
                with _vector(width) as lane:
                    index = [pair, row + line, (block + column) * lanes + start + lane]
                    T.buffer_store(self.result, self._finished(sums[line, column, start + lane], index), index)

    def _finished(self, value: Any, index: list[Any]) -> Any:
        if self.product.scale != 1.0:
            value = value * tirx.const(self.product.scale, "float32")
        for name in self.product.epilogue:
            if name == "bias":
                value = value + self.bias[index[-1]]
            elif name == "add":
                value = value + self.residual[tuple(index)]
            else:
                value = ACTIVATIONS[name](value)
        return value


def pieces(extent: int, most: int) -> Iterator[tuple[int, int]]:
    """Starts and sizes of vectors that cover so many values: powers of two, the largest first."""
    for start, width, count in runs(extent, most):
        yield from ((start + step * width, width) for step in range(count))


def runs(extent: int, most: int) -> Iterator[tuple[int, int, int]]:
    """The same as (start, size, how many)."""
    start, width = 0, most
    while start < extent:
        count = (extent - start) // width
        if count:
            yield start, width, count
        start, width = start + count * width, width // 2


def _operand(pair: Any, own: tuple[int, ...], batch: tuple[int, ...]) -> Any:
    """Which of an operand's matrices takes part in a pair."""
    position, after = tirx.const(0, "int32"), prod(batch)
    for extent, stride in zip(batch, broadcast_strides(own, batch), strict=True):
        after //= extent
        position = position + pair // after % extent * stride
    return position


def _argument(name: str, shape: tuple[int, ...]) -> Any:
    return IRBuilder.name(name, T.arg(name, T.buffer(shape, "float32")))


def _allocate(name: str, shape: tuple[int, ...], scope: str) -> Any:
    return IRBuilder.name(name, T.alloc_buffer(shape, "float32", scope=scope))


def _vector(width: int) -> Any:
    return T.vectorized(0, width) if width > 1 else T.serial(0, width)
