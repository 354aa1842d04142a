"""What walks over TIR ask of a node: its arithmetic, its memory, and what an intrinsic touches.

Fragments of tensor cores: CUDA C++ Programming Guide, "Warp Matrix Functions".
"""

from dataclasses import dataclass

import numpy as np
from tvm import DataType, tirx
from tvm.ir import Call, Expr, TensorLoad

from tvm_pipeline.backends.gpu_model.expression import Array, Evaluator, UnknownValue, call_name
from tvm_pipeline.hardware.multiprocessor import WARP

GLOBAL, SHARED = "global", "shared"
ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Min", "Max", "Select")
_FLOAT = 2


def is_float(node: Expr) -> bool:
    return bool(node.ty.dtype.type_code == _FLOAT)


def is_multiply_add(node: Expr) -> bool:
    """Whether the compiler makes one instruction of a sum and the product in it."""
    if type(node).__name__ not in ("Add", "Sub") or not is_float(node):
        return False
    return any(type(_uncast(part)).__name__ == "Mul" for part in (node.a, node.b))


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


LOAD_MATRIX, FILL_MATRIX = "tvm_load_matrix_sync", "tvm_fill_fragment"
STORE_MATRIX, MULTIPLY = "tvm_store_matrix_sync", "tvm_mma_sync"
COPY = "cp_async_raw"
INTRINSICS = (LOAD_MATRIX, STORE_MATRIX, COPY)


@dataclass(frozen=True)
class Touched:
    """A request to memory, ``addresses`` as :func:`tvm_pipeline.backends.gpu_model.memory.global_cost` takes them."""

    buffer: tirx.Buffer
    addresses: Array
    is_store: bool


def touched(call: Call, value: Evaluator) -> list[Touched]:
    """The requests of an intrinsic.

    :raises UnknownValue: an address depends on memory, or a pointer is no buffer's.
    """
    if call_name(call) == COPY:
        to, to_offset, source, source_offset, size = call.args[:5]
        return [
            _run(buffer_of(source), value(source_offset), int(size), is_store=False),
            _run(buffer_of(to), value(to_offset), int(size), is_store=True),
        ]
    fragment, m, n, k, _, pointer, stride, layout = call.args
    rows, columns = _extents(buffer_of(fragment).scope(), int(m), int(n), int(k))
    if "col_major" in str(layout):
        rows, columns = columns, rows
    buffer, base = _pointed(pointer, value)
    element = np.arange(rows * columns).reshape(WARP, -1)
    offsets = element // columns * value(stride) + element % columns
    return [Touched(buffer, base[..., None] + offsets, call_name(call) == STORE_MATRIX)]


def fragment_shape(call: Call) -> tuple[tirx.Var, tuple[int, int, int]] | None:
    """The fragment and (m, n, k) of a call that loads, fills or stores one; None for other calls."""
    if call_name(call) not in (LOAD_MATRIX, FILL_MATRIX, STORE_MATRIX):
        return None
    fragment, m, n, k = call.args[:4]
    return buffer_of(fragment), (int(m), int(n), int(k))


def touched_buffer(call: Call) -> tirx.Buffer:
    """The memory that a fragment is loaded from or stored to."""
    pointer = call.args[5]
    return pointer.args[0].source if call_name(pointer) == "address_of" else buffer_of(pointer.args[1])


def buffer_of(pointer: Expr) -> tirx.Buffer:
    """The buffer that ``buffer.data`` stands for.

    :raises UnknownValue: it is another pointer.
    """
    if call_name(pointer) != "buffer_data":
        raise UnknownValue(str(pointer))
    return pointer.args[0]


def _extents(scope: str, m: int, n: int, k: int) -> tuple[int, int]:
    return {"wmma.matrix_a": (m, k), "wmma.matrix_b": (k, n)}.get(scope, (m, n))


def _run(buffer: tirx.Buffer, offset: Array, size: int, *, is_store: bool) -> Touched:
    elements = max(1, size // DataType(buffer.dtype).itemsize)
    return Touched(buffer, np.asarray(offset)[..., None] + np.arange(elements), is_store)


def _pointed(pointer: Expr, value: Evaluator) -> tuple[tirx.Buffer, Array]:
    """The buffer and the offset of ``tvm_access_ptr(type, data, offset, ...)`` or ``address_of(load)``."""
    if call_name(pointer) == "address_of":
        load: TensorLoad = pointer.args[0]
        return load.source, value(load.indices[-1])
    return buffer_of(pointer.args[1]), value(pointer.args[2])
