"""Kernels whose counts can be worked out by hand."""

from __future__ import annotations

import tvm
from tvm import te
from tvm.s_tir import Schedule

SIZE, THREADS = 1 << 16, 128
"""Of the vector addition."""
N, TILE = 64, 16
"""Of the matrix product: rows, columns and depth, and its tiles' side."""


def vector_add(vector: int = 1, stride: int = 1, size: int = SIZE) -> tvm.tirx.PrimFunc:
    """``c[i] = a[i * stride] + b[i]``, one thread per ``vector`` elements."""
    a = te.placeholder((size * stride,), name="a")
    b = te.placeholder((size,), name="b")
    c = te.compute((size,), lambda i: a[i * stride] + b[i], name="c")
    schedule = Schedule(te.create_prim_func([a, b, c]))
    (loop,) = schedule.get_loops(schedule.get_sblock("c"))
    block, thread, inner = schedule.split(loop, [None, THREADS, vector])
    schedule.bind(block, "blockIdx.x")
    schedule.bind(thread, "threadIdx.x")
    if vector > 1:
        schedule.vectorize(inner)
    return schedule.mod["main"]


def tiled_matmul(shared: bool = True) -> tvm.tirx.PrimFunc:
    """``c = a b``, a block of 16 x 16 threads per tile, both inputs through shared memory."""
    a, b = (te.placeholder((N, N), name=name) for name in "ab")
    k = te.reduce_axis((0, N), name="k")
    c = te.compute((N, N), lambda i, j: te.sum(a[i, k] * b[k, j], axis=k), name="c")
    schedule = Schedule(te.create_prim_func([a, b, c]))
    product = schedule.get_sblock("c")
    i, j, k = schedule.get_loops(product)
    block_y, y = schedule.split(i, [None, TILE])
    block_x, x = schedule.split(j, [None, TILE])
    outer, inner = schedule.split(k, [None, TILE])
    schedule.reorder(block_y, block_x, y, x, outer, inner)
    for loop, axis in ((block_y, "blockIdx.y"), (block_x, "blockIdx.x"), (y, "threadIdx.y"), (x, "threadIdx.x")):
        schedule.bind(loop, axis)
    store = schedule.cache_write(product, 0, "local")
    schedule.reverse_compute_at(store, x)
    for operand in range(2) if shared else ():
        copy = schedule.cache_read(product, operand, "shared")
        schedule.compute_at(copy, outer)
        rows, columns = schedule.get_loops(copy)[-2:]
        schedule.bind(rows, "threadIdx.y")
        schedule.bind(columns, "threadIdx.x")
    return schedule.mod["main"]


def border(limit: int = 100) -> tvm.tirx.PrimFunc:
    """A copy of ``limit`` elements by blocks of 64 threads, the last of which has threads to spare."""
    a = te.placeholder((limit,), name="a")
    c = te.compute((limit,), lambda i: a[i], name="c")
    schedule = Schedule(te.create_prim_func([a, c]))
    (loop,) = schedule.get_loops(schedule.get_sblock("c"))
    block, thread = schedule.split(loop, [None, 64])
    schedule.bind(block, "blockIdx.x")
    schedule.bind(thread, "threadIdx.x")
    return schedule.mod["main"]


def row_add(rows: int = 1024, kind: str = "unroll") -> tvm.tirx.PrimFunc:
    """``c[i, j] = a[i, j] + b[i]``, a thread per row of four, in a loop that is unrolled or not."""
    a, b = te.placeholder((rows, 4), name="a"), te.placeholder((rows,), name="b")
    c = te.compute((rows, 4), lambda i, j: a[i, j] + b[i], name="c")
    schedule = Schedule(te.create_prim_func([a, b, c]))
    row, column = schedule.get_loops(schedule.get_sblock("c"))
    block, thread = schedule.split(row, [None, THREADS])
    schedule.bind(block, "blockIdx.x")
    schedule.bind(thread, "threadIdx.x")
    if kind == "unroll":
        schedule.unroll(column)
    return schedule.mod["main"]
