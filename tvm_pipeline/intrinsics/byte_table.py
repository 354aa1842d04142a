"""A table of 256 bytes, looked up by shuffles: sixteen of sixteen entries each, of which selects choose.

``pshufb`` takes one of sixteen bytes by an index's lower half (Intel Architecture Software Developer's Manual, PSHUFB);
the bits of the upper half say of which sixteenth of the table.
"""

from tvm import tirx
from tvm.ir import register_op_attr

from tvm_pipeline.intrinsics.value import BYTE, Value

LOOK_UP = "mobilenet_tvm.byte_table"
SIXTEENTHS = 16
_SHUFFLES = {16: "llvm.x86.ssse3.pshuf.b.128", 32: "llvm.x86.avx2.pshuf.b", 64: "llvm.x86.avx512.pshuf.b.512"}
_UPPER_BITS = (4, 5, 6, 7)


def byte_table(index: Value, *sixteenths: Value) -> Value:
    """The table's entry of each index; each sixteenth is repeated until it fills a vector."""
    body, kind = index.body, index.body.type_of(BYTE)
    low = body.emit(BYTE, f"and {index.typed}, {body.constant(BYTE, SIXTEENTHS - 1)}")
    shuffle = f"call {kind} @{_SHUFFLES[body.lanes]}"
    rows = [body.emit(BYTE, f"{shuffle}({part.typed}, {low.typed})") for part in sixteenths]
    for bit in _UPPER_BITS:
        shifted = body.emit(BYTE, f"shl {index.typed}, {body.constant(BYTE, 7 - bit)}")
        is_set = body.emit("i1", f"icmp slt {shifted.typed}, {body.constant(BYTE, 0)}")
        pairs = zip(rows[::2], rows[1::2], strict=True)
        rows = [body.emit(BYTE, f"select {is_set.typed}, {high.typed}, {lower.typed}") for lower, high in pairs]
    return rows[0]


register_op_attr(LOOK_UP, "TCallEffectKind", tirx.expr.CallEffectKind.Pure.value)
