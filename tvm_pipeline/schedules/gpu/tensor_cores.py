"""What tensor cores do, as intrinsics that a schedule can put in the place of loops over 16x16 values.

TVM registers its own where ``tvm.s_tir.tensor_intrin`` is imported, hundreds of them, which takes seconds; these five
take none worth mentioning, and are registered when a schedule first needs one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tvm import tirx
from tvm.s_tir import TensorIntrin
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T

from tvm_pipeline.hardware.gpu import FRAGMENT as SIZE

LOAD_DATA, LOAD_WEIGHT = "mobilenet_tvm.load_data_fragment", "mobilenet_tvm.load_weight_fragment"
CLEAR, MULTIPLY, STORE = (f"mobilenet_tvm.{what}_fragment" for what in ("clear", "multiply", "store"))

DATA_SCOPE, WEIGHT_SCOPE, SUM_SCOPE = "wmma.matrix_a", "wmma.matrix_b", "wmma.accumulator"


@dataclass(frozen=True)
class _Operand:
    """16x16 values.

    :ivar step: values that its place in memory is a multiple of: a fragment's row, or a vector of shared memory.
    """

    name: str
    dtype: str
    scope: str
    step: int = SIZE


_DATA, _WEIGHT = _Operand("data", "float16", DATA_SCOPE), _Operand("weight", "float16", WEIGHT_SCOPE)
_SUMS = _Operand("sums", "float32", SUM_SCOPE)
_HALVES, _FLOATS = _Operand("shared", "float16", "shared", 8), _Operand("shared", "float32", "shared", 4)

_Body = Callable[..., None]
"""Builds statements, given a buffer for each operand."""


@cache
def register() -> None:
    """Makes the five names known to ``Schedule.tensorize``."""
    _register(LOAD_DATA, (_HALVES, _DATA), "SS", _copy, _load)
    _register(LOAD_WEIGHT, (_HALVES, _WEIGHT), "SS", _copy, _load)
    _register(CLEAR, (_SUMS,), "SS", lambda sums, *at: T.buffer_store(sums, T.float32(0), at), _clear)
    _register(MULTIPLY, (_DATA, _WEIGHT, _SUMS), "SSR", _add_product, _multiply)
    _register(STORE, (_SUMS, _FLOATS), "SS", _copy, _store)


def _register(name: str, operands: Sequence[_Operand], axes: str, element: _Body, instruction: _Body) -> None:
    """An intrinsic in two forms: loops over ``axes`` (S: spatial, R: reduced) around ``element``, and ``instruction``.
    It writes its last operand; where it reduces, it reads that too."""

    def loops(*buffers: Any) -> None:
        with T.grid(*[SIZE] * len(axes)) as variables, T.sblock("element"):
            element(*buffers, *T.axis.remap(axes, list(variables)))

    reads = (operands[-1], *operands[:-1]) if "R" in axes else operands[:-1]
    TensorIntrin.register(
        name, _function(operands, reads, loops), _function(operands, reads, instruction, is_strided=True)
    )


def _function(
    operands: Sequence[_Operand], reads: Sequence[_Operand], body: _Body, *, is_strided: bool = False
) -> tirx.PrimFunc:
    """A function of one block that reads ``reads`` and writes the last operand, both as a whole."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("fragment")
        buffers = {operand: _buffer(operand, is_strided) for operand in operands}
        with T.sblock("root"):
            T.reads([buffers[operand][0:SIZE, 0:SIZE] for operand in reads])
            T.writes([buffers[operands[-1]][0:SIZE, 0:SIZE]])
            body(*buffers.values())
    return builder.get()


def _buffer(operand: _Operand, is_strided: bool) -> Any:
    """A parameter; ``is_strided``: whose rows may lie apart."""
    strides = [IRBuilder.name(f"{operand.name}_{axis}", T.int32()) for axis in ("row", "step")] if is_strided else None
    handle, place = T.arg(operand.name, T.handle()), {"align": 64, "offset_factor": operand.step}
    buffer = T.match_buffer(handle, (SIZE, SIZE), operand.dtype, strides=strides, scope=operand.scope, **place)
    return IRBuilder.name(operand.name, buffer)


def _copy(source: Any, target: Any, row: Any, column: Any) -> None:
    T.buffer_store(target, source[row, column], [row, column])


def _add_product(data: Any, weight: Any, sums: Any, row: Any, column: Any, inner: Any) -> None:
    product = T.cast(data[row, inner], "float32") * T.cast(weight[inner, column], "float32")
    T.buffer_store(sums, sums[row, column] + product, [row, column])


def _fragment(buffer: Any) -> tuple[Any, Any]:
    """The array of fragments that a buffer lies in, and its position there: rows of the array lie a stride apart."""
    offset, row = buffer.elem_offset, buffer.strides[0]
    return buffer.data, offset // (row * SIZE) * (row // SIZE) + offset % row // SIZE


def _load(shared: Any, fragment: Any) -> None:
    _move(T.tvm_load_matrix_sync, fragment, shared, "r", "float16")


def _store(sums: Any, shared: Any) -> None:
    _move(T.tvm_store_matrix_sync, sums, shared, "w", "float32")


def _move(instruction: Any, fragment: Any, shared: Any, access: str, dtype: str) -> None:
    data, position = _fragment(fragment)
    pointer = shared.access_ptr(access, ptr_type=dtype)
    T.evaluate(instruction(data, SIZE, SIZE, SIZE, position, pointer, shared.strides[0], "row_major", dtype="void"))


def _clear(sums: Any) -> None:
    data, position = _fragment(sums)
    T.evaluate(T.tvm_fill_fragment(data, SIZE, SIZE, SIZE, position, T.float32(0), dtype="void"))


def _multiply(data: Any, weight: Any, sums: Any) -> None:
    T.evaluate(T.tvm_mma_sync(*_fragment(sums), *_fragment(data), *_fragment(weight), *_fragment(sums), dtype="void"))
