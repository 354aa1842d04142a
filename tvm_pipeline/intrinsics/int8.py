"""Dot products of bytes in each lane, added to int32: an instruction of each kind of CPU.

Intel Architecture Instruction Set Extensions, VPDPBUSD; Intel 64 and IA-32 Architectures Software Developer's Manual,
VPMADDWD; Arm Architecture Reference Manual, SDOT (vector, by element). LLVM 22 takes VPDPBUSD's operands as bytes,
which TVM's own intrinsic does not.
"""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce

from tvm import tirx
from tvm.ir import register_op_attr

from tvm_pipeline.hardware.cpu import AVX512_LANES
from tvm_pipeline.intrinsics.extremes import larger, smaller
from tvm_pipeline.intrinsics.value import BYTE, FLOAT, INTEGER, SHORT, Value

DOT, SIGNED_DOT, WIDE_DOT = "mobilenet_tvm.int8_dot", "mobilenet_tvm.int8_signed_dot", "mobilenet_tvm.int8_wide_dot"
FOURS, REQUANTISE = "mobilenet_tvm.int8_fours", "mobilenet_tvm.requantise"
_PMADDWD = {4: "sse2.pmadd.wd", 8: "avx2.pmadd.wd", 16: "avx512.pmaddw.d.512"}
"""By the number of sums."""
_FCVTNS_LANES = 4


def int8_dot(total: Value, data: Value, weight: Value) -> Value:
    """``total`` and the products of four unsigned bytes and four signed ones in each lane, the fours as int32."""
    body = total.body
    return _dot(f"x86.avx512.vpdpbusd.{32 * body.lanes}", total, data, weight)


def int8_signed_dot(total: Value, data: Value, weight: Value) -> Value:
    """The same of signed bytes; the weights come first, so that one of ``data``'s lanes may be the other operand."""
    body = total.body
    return _dot(f"aarch64.neon.sdot.v{body.lanes}i32.v{4 * body.lanes}i8", total, weight, data)


def int8_wide_dot(total: Value, data: Value, weight: Value) -> Value:
    """The same of two int16, as int32, and of two signed bytes, as int16: no sum of two products is too large."""
    body = total.body
    shorts, pairs = f"<{2 * body.lanes} x i16>", f"<{2 * body.lanes} x i8>"
    narrow = body.emit(SHORT, f"bitcast {weight.typed} to {pairs}").name
    factors = body.emit(SHORT, f"sext {pairs} {narrow} to {shorts}").name
    values = body.emit(SHORT, f"bitcast {data.typed} to {shorts}").name
    called = f"{body.type_of(INTEGER)} @llvm.x86.{_PMADDWD[body.lanes]}"
    return total + body.emit(INTEGER, f"call {called}({shorts} {values}, {shorts} {factors})")


def _dot(function: str, total: Value, *operands: Value) -> Value:
    body = total.body
    fours = f"<{4 * body.lanes} x i8>"
    left, right = (body.emit("i8", f"bitcast {value.typed} to {fours}").name for value in operands)
    called = f"{body.type_of(INTEGER)} @llvm.{function}"
    return body.emit(INTEGER, f"call {called}({total.typed}, {fours} {left}, {fours} {right})")


def int8_fours(first: Value, second: Value, third: Value, fourth: Value) -> Value:
    """Four rows of bytes become one of fours, as int32."""
    body = first.body
    lanes = body.lanes
    if lanes == AVX512_LANES:
        return _fours_by_shifts((first, second, third, fourth))
    side_by_side = _indices(range(2 * lanes))
    pair, fours = f"<{2 * lanes} x i8>", f"<{4 * lanes} x i8>"
    above, below = (
        body.emit(BYTE, f"shufflevector {one.typed}, {other.typed}, {side_by_side}").name
        for one, other in ((first, second), (third, fourth))
    )
    order = _indices(row * lanes + lane for lane in range(lanes) for row in range(4))
    mixed = body.emit(BYTE, f"shufflevector {pair} {above}, {pair} {below}, {order}").name
    return body.emit(INTEGER, f"bitcast {fours} {mixed} to {body.type_of(INTEGER)}")


def _fours_by_shifts(rows: Sequence[Value]) -> Value:
    """One instruction loads 16 bytes as int32: so this takes fewer than interleaving halves, of which each is short."""
    body = rows[0].body
    wide = [body.emit(INTEGER, f"zext {row.typed} to {body.type_of(INTEGER)}") for row in rows]
    return reduce(operator.or_, [value << 8 * place if place else value for place, value in enumerate(wide)])


def _indices(places: Iterable[int]) -> str:
    """A shuffle's operand."""
    numbers = [f"i32 {place}" for place in places]
    return f"<{len(numbers)} x i32> <{', '.join(numbers)}>"


def requantise(value: Value, zero: Value, low: Value, high: Value) -> Value:
    """``clip(rint(value) + zero, low, high)``, whole numbers but for the value, as int32.

    Limits may come before rounding: no value is too large for an int32 then, and one instruction rounds and converts.
    """
    body = value.body
    least, most = low - zero, high - zero
    if body.is_aarch64:
        inside = larger(smaller(value, most), least)
    else:
        below = (value < most).choose(value, most)
        inside = (below > least).choose(below, least)
    return _rounded(inside) + zero.to_integer()


def _rounded(value: Value) -> Value:
    """The nearest whole number, the even one of two: one instruction."""
    body = value.body
    if body.is_aarch64 and body.lanes % _FCVTNS_LANES == 0:
        return _rounded_by_fours(value)
    floats, whole = ("f32", "i32") if body.lanes == 1 else (f"v{body.lanes}f32", f"v{body.lanes}i32")
    return body.emit(INTEGER, f"call {body.type_of(INTEGER)} @llvm.lrint.{whole}.{floats}({value.typed})")


def _rounded_by_fours(value: Value) -> Value:
    """By FCVTNS, which LLVM makes of no other function, and knows for one vector."""
    body, lanes = value.body, _FCVTNS_LANES
    whole = body.emit(INTEGER, f"freeze {body.type_of(INTEGER)} zeroinitializer")
    floats, place = f"@llvm.vector.extract.v4f32.v{body.lanes}f32", f"@llvm.vector.insert.v{body.lanes}i32.v4i32"
    for first in range(0, body.lanes, lanes):
        part = body.emit(FLOAT, f"call <4 x float> {floats}({value.typed}, i64 {first})")
        made = body.emit(INTEGER, f"call <4 x i32> @llvm.aarch64.neon.fcvtns.v4i32.v4f32(<4 x float> {part.name})")
        inserted = f"{place}({whole.typed}, <4 x i32> {made.name}, i64 {first})"
        whole = body.emit(INTEGER, f"call {body.type_of(INTEGER)} {inserted}")
    return whole


for _name in (DOT, SIGNED_DOT, WIDE_DOT, FOURS, REQUANTISE):
    register_op_attr(_name, "TCallEffectKind", tirx.expr.CallEffectKind.Pure.value)
    register_op_attr(_name, "TVectorizable", True)
