"""bfloat16, whose bits TVM keeps as uint16: to and from float32, and the dot product of AVX512-BF16.

Intel Architecture Instruction Set Extensions, VCVTNEPS2BF16 and VDPBF16PS.
"""

from tvm import ir, tirx
from tvm.ir import register_op_attr

from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.intrinsics.value import FLOAT, Value

ROUND, DOT = "mobilenet_tvm.round_to_bfloat16", "mobilenet_tvm.bfloat16_dot"
_HALF_OF_FLOAT = 16


def widened(bits: ir.Expr) -> ir.Expr:
    """The float32 whose upper half the bits are: exact."""
    whole = tirx.shift_left(bits.astype("uint32"), tirx.const(_HALF_OF_FLOAT, "uint32"))
    return tirx.reinterpret("float32", whole)


def rounded(value: ir.Expr) -> ir.Expr:
    """The bits of the bfloat16 that is nearest to a float32, the even one of two; NaN stays NaN."""
    return tirx.call_intrin(BITS, ROUND, value)


def round_to_bfloat16(value: Value) -> Value:
    """As LLVM rounds: one instruction on a CPU that has it."""
    body = value.body
    halves = body.emit("bfloat", f"fptrunc {value.typed} to {body.type_of('bfloat')}")
    return body.emit("i16", f"bitcast {halves.typed} to {body.type_of('i16')}")


def bfloat16_dot(total: Value, data: Value, weight: Value) -> Value:
    """``total`` and the products of two pairs in each lane, the pairs as int32."""
    body = total.body
    pairs = f"<{2 * body.lanes} x bfloat>"
    left, right = (body.emit("bfloat", f"bitcast {value.typed} to {pairs}").name for value in (data, weight))
    called = f"{body.type_of(FLOAT)} @llvm.x86.avx512bf16.dpbf16ps.{32 * body.lanes}"
    return body.emit(FLOAT, f"call {called}({total.typed}, {pairs} {left}, {pairs} {right})")


for _name in (ROUND, DOT):
    register_op_attr(_name, "TCallEffectKind", tirx.expr.CallEffectKind.Pure.value)
    register_op_attr(_name, "TVectorizable", True)
