# mypy: disable-error-code="untyped-decorator"
"""What tensor cores do, as intrinsics that a schedule can put in the place of loops over 16x16 values.

TVM registers its own where ``tvm.s_tir.tensor_intrin`` is imported, hundreds of them, which takes seconds; these five
take none worth mentioning, and are registered when a schedule first needs one.
"""

from functools import cache
from typing import Any

from tvm.s_tir import TensorIntrin
from tvm.script import tirx as T

LOAD_DATA, LOAD_WEIGHT = "mobilenet_tvm.load_data_fragment", "mobilenet_tvm.load_weight_fragment"
CLEAR, MULTIPLY, STORE = (f"mobilenet_tvm.{what}_fragment" for what in ("clear", "multiply", "store"))

DATA_SCOPE, WEIGHT_SCOPE, SUM_SCOPE = "wmma.matrix_a", "wmma.matrix_b", "wmma.accumulator"
SIZE = 16


@cache
def register() -> None:
    """Makes the five names known to ``Schedule.tensorize``."""
    TensorIntrin.register(LOAD_DATA, *_load(DATA_SCOPE))
    TensorIntrin.register(LOAD_WEIGHT, *_load(WEIGHT_SCOPE))
    TensorIntrin.register(CLEAR, *_clear())
    TensorIntrin.register(MULTIPLY, *_multiply())
    TensorIntrin.register(STORE, *_store())


def _position(fragment: Any, row: Any) -> Any:
    """Which fragment of an array of them, whose rows lie ``row`` values apart, a buffer stands for."""
    offset = fragment.elem_offset
    return offset // (row * SIZE) * (row // SIZE) + offset % row // SIZE


def _load(scope: str) -> tuple[Any, Any]:
    """A fragment out of shared memory."""

    @T.prim_func(s_tir=True)
    def loops(source: T.handle, target: T.handle) -> None:
        shared = T.match_buffer(source, (SIZE, SIZE), "float16", align=64, offset_factor=8, scope="shared")
        fragment = T.match_buffer(target, (SIZE, SIZE), "float16", align=64, offset_factor=16, scope=scope)
        with T.sblock("root"):
            T.reads(shared[0:SIZE, 0:SIZE])
            T.writes(fragment[0:SIZE, 0:SIZE])
            for i, j in T.grid(SIZE, SIZE):
                with T.sblock("load"):
                    row, column = T.axis.remap("SS", [i, j])
                    fragment[row, column] = shared[row, column]

    @T.prim_func(s_tir=True)
    def instruction(source: T.handle, target: T.handle) -> None:
        pitch, one = T.int32(), T.int32()
        row, step = T.int32(), T.int32()
        shared = T.match_buffer(
            source, (SIZE, SIZE), "float16", align=64, offset_factor=8, scope="shared", strides=[pitch, one]
        )
        fragment = T.match_buffer(
            target, (SIZE, SIZE), "float16", align=64, offset_factor=16, scope=scope, strides=[row, step]
        )
        with T.sblock("root"):
            T.reads(shared[0:SIZE, 0:SIZE])
            T.writes(fragment[0:SIZE, 0:SIZE])
            T.evaluate(
                T.tvm_load_matrix_sync(
                    fragment.data,
                    SIZE,
                    SIZE,
                    SIZE,
                    _position(fragment, row),
                    shared.access_ptr("r", ptr_type="float16"),
                    pitch,
                    "row_major",
                    dtype="void",
                )
            )

    return loops, instruction


def _clear() -> tuple[Any, Any]:
    """A fragment of sums set to zero."""

    @T.prim_func(s_tir=True)
    def loops(target: T.handle) -> None:
        sums = T.match_buffer(target, (SIZE, SIZE), "float32", align=64, offset_factor=16, scope=SUM_SCOPE)
        with T.sblock("root"):
            T.reads()
            T.writes(sums[0:SIZE, 0:SIZE])
            for i, j in T.grid(SIZE, SIZE):
                with T.sblock("clear"):
                    row, column = T.axis.remap("SS", [i, j])
                    sums[row, column] = T.float32(0)

    @T.prim_func(s_tir=True)
    def instruction(target: T.handle) -> None:
        row, step = T.int32(), T.int32()
        sums = T.match_buffer(
            target, (SIZE, SIZE), "float32", align=64, offset_factor=16, scope=SUM_SCOPE, strides=[row, step]
        )
        with T.sblock("root"):
            T.reads()
            T.writes(sums[0:SIZE, 0:SIZE])
            T.evaluate(
                T.tvm_fill_fragment(sums.data, SIZE, SIZE, SIZE, _position(sums, row), T.float32(0), dtype="void")
            )

    return loops, instruction


def _multiply() -> tuple[Any, Any]:
    """The product of two fragments added to a third."""

    @T.prim_func(s_tir=True)
    def loops(left: T.handle, right: T.handle, target: T.handle) -> None:
        data = T.match_buffer(left, (SIZE, SIZE), "float16", align=64, offset_factor=16, scope=DATA_SCOPE)
        weight = T.match_buffer(right, (SIZE, SIZE), "float16", align=64, offset_factor=16, scope=WEIGHT_SCOPE)
        sums = T.match_buffer(target, (SIZE, SIZE), "float32", align=64, offset_factor=16, scope=SUM_SCOPE)
        with T.sblock("root"):
            T.reads(sums[0:SIZE, 0:SIZE], data[0:SIZE, 0:SIZE], weight[0:SIZE, 0:SIZE])
            T.writes(sums[0:SIZE, 0:SIZE])
            for i, j, k in T.grid(SIZE, SIZE, SIZE):
                with T.sblock("multiply"):
                    row, column, inner = T.axis.remap("SSR", [i, j, k])
                    sums[row, column] = sums[row, column] + T.cast(data[row, inner], "float32") * T.cast(
                        weight[inner, column], "float32"
                    )

    @T.prim_func(s_tir=True)
    def instruction(left: T.handle, right: T.handle, target: T.handle) -> None:
        data_row, data_step = T.int32(), T.int32()
        weight_row, weight_step = T.int32(), T.int32()
        row, step = T.int32(), T.int32()
        data = T.match_buffer(
            left, (SIZE, SIZE), "float16", align=64, offset_factor=16, scope=DATA_SCOPE, strides=[data_row, data_step]
        )
        weight = T.match_buffer(
            right,
            (SIZE, SIZE),
            "float16",
            align=64,
            offset_factor=16,
            scope=WEIGHT_SCOPE,
            strides=[weight_row, weight_step],
        )
        sums = T.match_buffer(
            target, (SIZE, SIZE), "float32", align=64, offset_factor=16, scope=SUM_SCOPE, strides=[row, step]
        )
        with T.sblock("root"):
            T.reads(sums[0:SIZE, 0:SIZE], data[0:SIZE, 0:SIZE], weight[0:SIZE, 0:SIZE])
            T.writes(sums[0:SIZE, 0:SIZE])
            T.evaluate(
                T.tvm_mma_sync(
                    sums.data,
                    _position(sums, row),
                    data.data,
                    _position(data, data_row),
                    weight.data,
                    _position(weight, weight_row),
                    sums.data,
                    _position(sums, row),
                    dtype="void",
                )
            )

    return loops, instruction


def _store() -> tuple[Any, Any]:
    """A fragment of sums into shared memory."""

    @T.prim_func(s_tir=True)
    def loops(source: T.handle, target: T.handle) -> None:
        sums = T.match_buffer(source, (SIZE, SIZE), "float32", align=64, offset_factor=16, scope=SUM_SCOPE)
        shared = T.match_buffer(target, (SIZE, SIZE), "float32", align=64, offset_factor=4, scope="shared")
        with T.sblock("root"):
            T.reads(sums[0:SIZE, 0:SIZE])
            T.writes(shared[0:SIZE, 0:SIZE])
            for i, j in T.grid(SIZE, SIZE):
                with T.sblock("store"):
                    row, column = T.axis.remap("SS", [i, j])
                    shared[row, column] = sums[row, column]

    @T.prim_func(s_tir=True)
    def instruction(source: T.handle, target: T.handle) -> None:
        pitch, one = T.int32(), T.int32()
        row, step = T.int32(), T.int32()
        sums = T.match_buffer(
            source, (SIZE, SIZE), "float32", align=64, offset_factor=16, scope=SUM_SCOPE, strides=[row, step]
        )
        shared = T.match_buffer(
            target, (SIZE, SIZE), "float32", align=64, offset_factor=4, scope="shared", strides=[pitch, one]
        )
        with T.sblock("root"):
            T.reads(sums[0:SIZE, 0:SIZE])
            T.writes(shared[0:SIZE, 0:SIZE])
            T.evaluate(
                T.tvm_store_matrix_sync(
                    sums.data,
                    SIZE,
                    SIZE,
                    SIZE,
                    _position(sums, row),
                    shared.access_ptr("w", ptr_type="float32"),
                    pitch,
                    "row_major",
                    dtype="void",
                )
            )

    return loops, instruction
