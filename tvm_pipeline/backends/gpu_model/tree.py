"""What several walks over TIR ask of a node."""

from tvm import DataType, tirx
from tvm.ir import Expr

from tvm_pipeline.backends.gpu_model.counts import GLOBAL, SHARED

ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Min", "Max")
_FLOAT = 2


def is_float(node: Expr) -> bool:
    return bool(node.ty.dtype.type_code == _FLOAT)


def is_multiply_add(node: Expr) -> bool:
    """Whether the compiler makes one instruction of a sum and the product in it."""
    if type(node).__name__ not in ("Add", "Sub") or not is_float(node):
        return False
    return any(type(_uncast(one)).__name__ == "Mul" for one in (node.a, node.b))


def _uncast(node: Expr) -> Expr:
    return node.value if type(node).__name__ == "Cast" else node


def scope_of(buffer: tirx.Buffer) -> str | None:
    """``global`` or ``shared``; None for registers and fragments."""
    scope = str(buffer.scope())
    return GLOBAL if scope in ("", GLOBAL) else SHARED if scope.startswith(SHARED) else None


def bytes_of(buffer: tirx.Buffer) -> int:
    elements = 1
    for extent in buffer.shape:
        elements *= int(extent)
    return elements * int(DataType(buffer.dtype).itemsize)
