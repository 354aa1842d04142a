"""How long a scheduled kernel takes, roughly: enough to tell where most of a network's time goes.

A kernel that was made for its layer is bound by its multiply-adds, any other by its statements as they were scheduled;
both by the memory that they touch. Nothing is measured.
"""

from collections.abc import Iterator
from math import prod

from tvm import ir, s_tir, tirx
from tvm.tirx.stmt import AttrStmt, BufferStore, For, ForKind, IfThenElse, SeqStmt, Stmt

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.cpu import VectorUnit
from tvm_pipeline.schedules.annotations import MULT_ADDS
from tvm_pipeline.schedules.cpu.loop_index import children

VECTORS_PER_NS = 4.0
"""Multiply-adds of whole vectors in kernels of ours."""

STATEMENTS_PER_NS = 2.0
"""Of any other kernel, a vector or a single value each."""

CALL_NS = 5.0
"""Of a function of the C library, an exponential, for one value."""

BYTES_PER_NS = 30.0
"""From and to the second-level cache."""


def estimate_us(function: tirx.PrimFunc, layer: Layer | None, unit: VectorUnit) -> float:
    """Microseconds of one call of a scheduled kernel, which computes ``layer`` if it is one."""
    mult_adds = layer.mult_adds if layer is not None else int((function.attrs or {}).get(MULT_ADDS, 0))
    touched = sum(_bytes(parameter) for parameter in function.params)
    busy = mult_adds / unit.lanes / VECTORS_PER_NS or _statement_ns(function.body)
    return max(busy, touched / BYTES_PER_NS) / 1000


def _bytes(parameter: tirx.Var) -> int:
    return int(prod(int(extent) for extent in parameter.shape) * 4) if hasattr(parameter, "shape") else 0


def _statement_ns(statement: Stmt) -> float:
    if isinstance(statement, For):
        inside = _statement_ns(statement.body)
        return inside if statement.kind == ForKind.VECTORIZED else inside * int(statement.extent)
    if isinstance(statement, BufferStore):
        return 1 / STATEMENTS_PER_NS + CALL_NS * _calls(statement.value)
    return sum(map(_statement_ns, _parts(statement)))


def _parts(statement: Stmt) -> Iterator[Stmt]:
    if isinstance(statement, s_tir.SBlockRealize):
        yield statement.block.body
    elif isinstance(statement, SeqStmt):
        yield from statement.seq
    elif isinstance(statement, AttrStmt):
        yield statement.body
    elif isinstance(statement, IfThenElse):
        yield statement.then_case


def _calls(expression: ir.Expr) -> int:
    is_function = isinstance(expression, ir.Call) and not str(expression.op.name).endswith("if_then_else")
    return int(is_function) + sum(map(_calls, children(expression)))
