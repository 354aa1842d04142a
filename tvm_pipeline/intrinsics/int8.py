"""The dot product of AVX512-VNNI: four unsigned bytes times four signed ones in each lane, added to int32.

Intel Architecture Instruction Set Extensions, VPDPBUSD. LLVM 22 takes its operands as bytes, which TVM's own intrinsic
does not.
"""

from tvm import tirx
from tvm.ir import register_op_attr

from tvm_pipeline.intrinsics.value import INTEGER, Value

DOT = "mobilenet_tvm.int8_dot"


def int8_dot(total: Value, data: Value, weight: Value) -> Value:
    """``total`` and the products of four pairs in each lane, the fours as int32."""
    body = total.body
    fours = f"<{4 * body.lanes} x i8>"
    left, right = (body.emit("i8", f"bitcast {value.typed} to {fours}").name for value in (data, weight))
    called = f"{body.type_of(INTEGER)} @llvm.x86.avx512.vpdpbusd.{32 * body.lanes}"
    return body.emit(INTEGER, f"call {called}({total.typed}, {fours} {left}, {fours} {right})")


register_op_attr(DOT, "TCallEffectKind", tirx.expr.CallEffectKind.Pure.value)
register_op_attr(DOT, "TVectorizable", True)
