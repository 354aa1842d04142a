"""What is done to unsigned bytes between layers, written loop by loop: a table, a sum, a product, a mean.

    result = clip(rint(float(whole) * factor) + zero, low, high)

as behind a layer's sums (:mod:`tvm_pipeline.workloads.int8`), where ``whole`` is an int32: ``left * numbers[LEFT] +
right * numbers[RIGHT] + numbers[OFFSET]`` of a sum, ``(data - numbers[LEFT]) * (gate - numbers[RIGHT])`` of a product
with a gate per channel
and, of a mean, the pixels' sum plus ``numbers[OFFSET]``. Scales and zero points are arguments, so that values of one
shape share a kernel.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from tvm import tirx
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T

from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.intrinsics.byte_table import LOOK_UP, SIXTEENTHS
from tvm_pipeline.schedules.annotations import WRITTEN
from tvm_pipeline.schedules.cpu.fallback import WORTH_THREADS
from tvm_pipeline.workloads.registry import OP_PATTERN_OPAQUE

BYTE, WHOLE, FLOAT = "uint8", "int32", "float32"
LEFT, RIGHT, OFFSET, ZERO, LOW, HIGH = range(6)
"""The places in ``numbers``."""
RUN = 4
"""Vectors of int32 that are computed side by side: their bytes fill one."""


@dataclass(frozen=True)
class ByteValues:
    """An operation on bytes.

    :ivar kind: ``table``, ``add``, ``multiply`` or ``mean``.
    :ivar shape: of what it reads; ``[N, C/b, H*W, b]`` of a product, whose other operand is ``[N, C/b, 1, b]``, and
        of a mean.
    """

    kind: str
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"int8_{self.kind}_{'x'.join(map(str, self.shape))}"

    @property
    def label(self) -> str:
        return f"int8_{self.kind}/1"

    @property
    def one_pixel(self) -> tuple[int, ...]:
        """``[N, C/b, 1, b]``, a value for each channel."""
        return (*self.shape[:-2], 1, self.shape[-1])

    @property
    def result(self) -> tuple[int, ...]:
        return self.one_pixel if self.kind == "mean" else self.shape


def byte_table(table: np.ndarray, unit: VectorUnit) -> np.ndarray:
    """``[256]`` as kernels read it: in sixteenths, each repeated until it fills a vector that is shuffled."""
    copies = max(1, unit.shuffled_bytes // SIXTEENTHS)
    return np.tile(table.astype(BYTE).reshape(SIXTEENTHS, SIXTEENTHS), (1, copies))


def byte_values(values: ByteValues, unit: VectorUnit) -> tirx.PrimFunc:
    """The kernel, with its loops as they are to run. Arguments: what it reads, its constants, the result."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(values.name)
        T.func_attr({"tirx.noalias": True, "op_pattern": OP_PATTERN_OPAQUE, WRITTEN: values.label})
        _WRITERS[values.kind](values, unit)
    return builder.get()


def _table(values: ByteValues, unit: VectorUnit) -> None:
    width, size = unit.shuffled_bytes, prod(values.shape)
    data, table = _argument("data", values.shape), _argument("table", (SIXTEENTHS, max(SIXTEENTHS, width)))
    result = _argument("result", values.shape)
    with _body():
        bytes_in, bytes_out = _flat(data, size), _flat(result, size)

        def look_up(first: Any) -> None:
            vector = f"{BYTE}x{width}"
            rows = [tirx.BufferLoad(table, [row, tirx.Ramp(0, 1, width)]) for row in range(SIXTEENTHS)]
            run = tirx.Ramp(first, 1, width)
            found = tirx.call_intrin(vector, LOOK_UP, tirx.BufferLoad(bytes_in, [run]), *rows)
            T.buffer_store(bytes_out, found, [run])

        if not width or size < width:
            with T.serial(0, size) as place:
                index = bytes_in[place].astype(WHOLE)
                T.buffer_store(bytes_out, table[index // SIXTEENTHS, index % SIXTEENTHS], [place])
            return
        with _shared_out(size // width, size) as step:
            look_up(step * width)
        if size % width:
            look_up(tirx.const(size - width, WHOLE))  # some once more


def _add(values: ByteValues, unit: VectorUnit) -> None:
    left, right = _argument("left", values.shape), _argument("right", values.shape)
    numbers, factor, result = *_constants(), _argument("result", values.shape)
    size = prod(values.shape)
    with _body():
        first, second, out = (_flat(buffer, size) for buffer in (left, right, result))

        def at(place: Any) -> None:
            one, other = first[place].astype(WHOLE), second[place].astype(WHOLE)
            whole = one * numbers[LEFT] + other * numbers[RIGHT] + numbers[OFFSET]
            T.buffer_store(out, _finished(whole, numbers, factor), [place])

        run = RUN * unit.lanes
        with _shared_out(size // run, size) as step, T.vectorized(0, run) as lane:
            at(step * run + lane)
        with T.serial(0, size % run) as rest:
            at(size - size % run + rest)


def _multiply(values: ByteValues, unit: VectorUnit) -> None:
    blocks, (pixels, lanes) = prod(values.shape[:-2]), values.shape[-2:]
    data, gate = _argument("data", values.shape), _argument("gate", values.one_pixel)
    numbers, factor, result = *_constants(), _argument("result", values.shape)
    size, run = pixels * lanes, RUN * unit.lanes
    with _body():
        first, out = _blocks(data, blocks, size), _blocks(result, blocks, size)
        second = _blocks(gate, blocks, lanes)
        with _shared_out(blocks, blocks * size) as block:
            repeated = IRBuilder.name("repeated", T.alloc_buffer((run,), WHOLE, scope="local"))
            with T.serial(0, run // lanes) as copy, T.vectorized(0, lanes) as lane:
                T.buffer_store(repeated, second[block, lane].astype(WHOLE) - numbers[RIGHT], [copy * lanes + lane])

            def at(place: Any, lane: Any) -> None:
                whole = (first[block, place].astype(WHOLE) - numbers[LEFT]) * repeated[lane]
                T.buffer_store(out, _finished(whole, numbers, factor), [block, place])

            with T.serial(0, size // run) as step, T.vectorized(0, run) as lane:
                at(step * run + lane, lane)
            with T.serial(0, size % run // lanes) as pixel, T.vectorized(0, lanes) as lane:
                at(size - size % run + pixel * lanes + lane, lane)


def _mean(values: ByteValues, _unit: VectorUnit) -> None:
    blocks, (pixels, lanes) = prod(values.shape[:-2]), values.shape[-2:]
    data, (numbers, factor) = _argument("data", values.shape), _constants()
    result = _argument("result", values.result)
    with _body():
        first, out = _blocks(data, blocks, pixels, lanes), _blocks(result, blocks, 1, lanes)
        with _shared_out(blocks, blocks * pixels * lanes) as block:
            total = IRBuilder.name("total", T.alloc_buffer((lanes,), WHOLE, scope="local"))
            with T.vectorized(0, lanes) as lane:
                T.buffer_store(total, numbers[OFFSET], [lane])
            with T.serial(0, pixels) as pixel, T.vectorized(0, lanes) as lane:
                T.buffer_store(total, total[lane] + first[block, pixel, lane].astype(WHOLE), [lane])
            with T.vectorized(0, lanes) as lane:
                T.buffer_store(out, _finished(total[lane], numbers, factor), [block, 0, lane])


_WRITERS: Mapping[str, Callable[[ByteValues, VectorUnit], None]] = {
    "table": _table,
    "add": _add,
    "multiply": _multiply,
    "mean": _mean,
}


def _finished(whole: Any, numbers: Any, factor: Any) -> Any:
    zero, low, high = (numbers[place].astype(FLOAT) for place in (ZERO, LOW, HIGH))
    near = tirx.nearbyint(whole.astype(FLOAT) * factor[0]) + zero
    return tirx.max(tirx.min(near, high), low).astype(WHOLE).astype(BYTE)


def _argument(name: str, shape: tuple[int, ...], dtype: str = BYTE) -> Any:
    return IRBuilder.name(name, T.arg(name, T.buffer(shape, dtype)))


def _constants() -> tuple[Any, Any]:
    return _argument("numbers", (HIGH + 1,), WHOLE), _argument("factor", (1,), FLOAT)


@contextmanager
def _body() -> Iterator[None]:
    with T.sblock("root"):
        T.reads([])
        T.writes([])
        yield


def _flat(buffer: Any, size: int) -> Any:
    return T.decl_buffer((size,), BYTE, data=buffer.data)


def _blocks(buffer: Any, *shape: int) -> Any:
    return T.decl_buffer(shape, BYTE, data=buffer.data)


def _shared_out(steps: int, size: int) -> Any:
    return T.parallel(0, steps) if size >= WORTH_THREADS else T.serial(0, steps)
