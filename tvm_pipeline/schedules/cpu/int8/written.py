"""What written kernels of bytes have in common: arguments, vectors, sums, and how bytes are made of sums again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

from tvm import tirx
from tvm.s_tir import Schedule
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.intrinsics import int8
from tvm_pipeline.workloads.int8.layers import BYTE, FOUR, HIGH, LOW, SIGNED, WHOLE, ZERO, ZERO_IN, rounded_at_once
from tvm_pipeline.workloads.workload import DTYPE

MOST_ON_STACK = 16 * 1024
"""Bytes of a buffer that stays on the stack; TVM hands out a larger one by a call."""


@dataclass(frozen=True)
class Arguments:
    """A kernel's buffers, in order."""

    data: Any
    weight: Any
    bias: Any
    scale: Any
    quantisation: Any
    output: Any

    def zeros_in(self, lanes: int) -> Any:
        """What a border is filled with."""
        return T.broadcast(self.quantisation[ZERO_IN].astype(BYTE), lanes)

    def fours_of_zeros(self, lanes: int, count: int = FOUR) -> Any:
        """The same of fours, as int32, of which ``count`` bytes are taken, and others zero."""
        fours = tirx.reinterpret(f"{WHOLE}x{lanes}" if lanes > 1 else WHOLE, self.zeros_in(lanes * FOUR))
        if count == FOUR:
            return fours
        taken = tirx.const((1 << 8 * count) - 1, WHOLE)
        return tirx.bitwise_and(fours, T.broadcast(taken, lanes) if lanes > 1 else taken)


def rewrite(schedule: Schedule, write: Callable[[Arguments], None]) -> None:
    """Puts what is written in place of the kernel's body."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("written")
        with T.sblock("root"):
            T.reads([])
            T.writes([])
            write(Arguments(*schedule.mod["main"].params))
    root = schedule.get_sblock("root")
    old, new = schedule.get(root), builder.get().body.block
    schedule.state.replace(schedule.get_sref(root), new, {old: new})


def load(buffer: Any, index: list[Any], lanes: int) -> Any:
    """A vector along the buffer's last axis, or one value."""
    return buffer.vload(index, f"{buffer.dtype}x{lanes}") if lanes > 1 else buffer[tuple(index)]


def store(buffer: Any, index: list[Any], value: Any, lanes: int) -> None:
    """The same the other way."""
    *outer, last = index
    T.buffer_store(buffer, value, [*outer, T.ramp(last, 1, lanes) if lanes > 1 else last])


def load_fours(buffer: Any, index: list[Any], lanes: int) -> Any:
    """A vector of fours of signed bytes, the buffer's last axis, as int32."""
    return tirx.reinterpret(f"{WHOLE}x{lanes}", buffer.vload([*index, 0], f"{SIGNED}x{lanes * FOUR}"))


def add_dot(sums: Any, index: list[Any], data: Any, weight: Any, lanes: int) -> None:
    """Adds the products of fours to a vector of sums."""
    total = load(sums, index, lanes)
    store(sums, index, tirx.call_intrin(f"{WHOLE}x{lanes}", int8.DOT, total, data, weight), lanes)


def fours_of(rows: list[Any], lanes: int) -> Any:
    """Up to four vectors of bytes, or as many bytes, become one of fours, as int32; those that are missing are zero."""
    if lanes == 1:
        return reduce(tirx.bitwise_or, [row.astype(WHOLE) << 8 * place for place, row in enumerate(rows)])
    missing = [T.broadcast(tirx.const(0, BYTE), lanes)] * (FOUR - len(rows))
    return tirx.call_intrin(f"{WHOLE}x{lanes}", int8.FOURS, *rows, *missing)


def allocate(name: str, shape: tuple[int, ...]) -> Any:
    """A buffer of int32, on the stack if it is not too large."""
    scope = "local" if prod(shape) * 4 <= MOST_ON_STACK else "global"
    return IRBuilder.name(name, T.alloc_buffer(shape, WHOLE, scope=scope))


class Finish:
    """How a vector of sums, bias included, becomes results of the layer."""

    def __init__(self, layer: Layer, arguments: Arguments, lanes: int) -> None:
        self.arguments, self.lanes = arguments, lanes
        self.makes_bytes = layer.epilogue[-1] == "requantise"

    def store(self, index: list[Any], channels: list[Any], total: Any) -> None:
        """:param channels: the block and the first lane, whose scales these are."""
        lanes = self.lanes
        value = total.astype(f"{DTYPE}x{lanes}") * load(self.arguments.scale, channels, lanes)
        store(self.arguments.output, index, self._bytes(value) if self.makes_bytes else value, lanes)

    def _bytes(self, value: Any) -> Any:
        ends = [self.arguments.quantisation[place].astype(DTYPE) for place in (ZERO, LOW, HIGH)]
        vectors = [T.broadcast(end, self.lanes) for end in ends]
        return rounded_at_once(value, vectors).astype(f"{BYTE}x{self.lanes}")
