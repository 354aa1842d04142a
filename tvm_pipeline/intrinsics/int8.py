"""The dot product of AVX512-VNNI: four unsigned bytes times four signed ones in each lane, added to int32.

Intel Architecture Instruction Set Extensions, VPDPBUSD. LLVM 22 takes its operands as bytes, which TVM's own intrinsic
does not.
"""

from collections.abc import Iterable

from tvm import tirx
from tvm.ir import register_op_attr

from tvm_pipeline.intrinsics.value import BYTE, INTEGER, Value

DOT, FOURS, ROUND = "mobilenet_tvm.int8_dot", "mobilenet_tvm.int8_fours", "mobilenet_tvm.round_to_int32"


def int8_dot(total: Value, data: Value, weight: Value) -> Value:
    """``total`` and the products of four pairs in each lane, the fours as int32."""
    body = total.body
    fours = f"<{4 * body.lanes} x i8>"
    left, right = (body.emit("i8", f"bitcast {value.typed} to {fours}").name for value in (data, weight))
    called = f"{body.type_of(INTEGER)} @llvm.x86.avx512.vpdpbusd.{32 * body.lanes}"
    return body.emit(INTEGER, f"call {called}({total.typed}, {fours} {left}, {fours} {right})")


def int8_fours(first: Value, second: Value, third: Value, fourth: Value) -> Value:
    """Four rows of bytes become one of fours, as int32."""
    body = first.body
    lanes = body.lanes
    side_by_side = _indices(range(2 * lanes))
    pair, fours = f"<{2 * lanes} x i8>", f"<{4 * lanes} x i8>"
    above, below = (
        body.emit(BYTE, f"shufflevector {one.typed}, {other.typed}, {side_by_side}").name
        for one, other in ((first, second), (third, fourth))
    )
    order = _indices(row * lanes + lane for lane in range(lanes) for row in range(4))
    mixed = body.emit(BYTE, f"shufflevector {pair} {above}, {pair} {below}, {order}").name
    return body.emit(INTEGER, f"bitcast {fours} {mixed} to {body.type_of(INTEGER)}")


def _indices(places: Iterable[int]) -> str:
    """A shuffle's operand."""
    numbers = [f"i32 {place}" for place in places]
    return f"<{len(numbers)} x i32> <{', '.join(numbers)}>"


def round_to_int32(value: Value) -> Value:
    """The nearest whole number, the even one of two: one instruction."""
    body = value.body
    called = f"{body.type_of(INTEGER)} @llvm.lrint.v{body.lanes}i32.v{body.lanes}f32"
    return body.emit(INTEGER, f"call {called}({value.typed})")


for _name in (DOT, FOURS, ROUND):
    register_op_attr(_name, "TCallEffectKind", tirx.expr.CallEffectKind.Pure.value)
    register_op_attr(_name, "TVectorizable", True)
