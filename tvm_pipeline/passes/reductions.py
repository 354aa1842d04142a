"""Maxima and minima over axes and windows: what they begin at, and that NaN passes.

TVM's maxima begin at the least finite number, which is what they make of nothing but minus infinities (a row of
attention that is masked throughout); these begin at minus infinity, and minima at infinity.
"""

from collections.abc import Callable

import numpy as np
import tvm
from tvm import ir, s_tir, tirx
from tvm.tirx.stmt import BufferStore, For, SeqStmt, Stmt

_LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in ("float16", "float32", "float64")}
_Choice = Callable[[ir.Expr, ir.Expr], ir.Expr]
_CHOICES: dict[type, _Choice] = {tirx.Max: tirx.GT, tirx.Min: tirx.LT}
_Change = Callable[[ir.Expr], ir.Expr]


def start_at_infinity(module: tvm.IRModule) -> tvm.IRModule:
    """Changes the initial value of every maximum and minimum of floating-point numbers."""
    return _with_changed_blocks(module, init=infinite_identity)


def let_last_nan_pass(module: tvm.IRModule) -> tvm.IRModule:
    """Makes CUDA's maxima and minima those of LLVM: where an operand is NaN, the second is the result.

    CUDA's own drop NaN. What is larger than NaN no comparison says, so the choice falls on the second operand.
    """
    return _with_changed_blocks(module, update=_chosen)


def infinite_identity(value: ir.Expr) -> ir.Expr:
    """Infinity for the largest number of a dtype, minus infinity for the smallest; other values as they are."""
    if not isinstance(value, tirx.FloatImm) or abs(float(value.value)) != _LARGEST.get(str(value.ty)):
        return value
    return tirx.const(float(np.copysign(np.inf, float(value.value))), str(value.ty))


def _chosen(value: ir.Expr) -> ir.Expr:
    if type(value) not in _CHOICES or str(value.ty) not in _LARGEST:
        return value
    return tirx.Select(_CHOICES[type(value)](value.a, value.b), value.a, value.b)


def _same(value: ir.Expr) -> ir.Expr:
    return value


def _with_changed_blocks(module: tvm.IRModule, init: _Change = _same, update: _Change = _same) -> tvm.IRModule:
    """The kernels with what their reductions store at first and at each step changed."""
    functions = {
        variable: function.with_body(_rewrite(function.body, init, update))
        if isinstance(function, tirx.PrimFunc)
        else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def _rewrite(statement: Stmt, init: _Change, update: _Change) -> Stmt:
    if isinstance(statement, SeqStmt):
        return SeqStmt([_rewrite(part, init, update) for part in statement.seq])
    if isinstance(statement, For):
        body = _rewrite(statement.body, init, update)
        fields = (statement.loop_var, statement.min, statement.extent, statement.kind)
        return For(*fields, body, statement.thread_binding, statement.annotations)
    if isinstance(statement, s_tir.SBlockRealize):
        return s_tir.SBlockRealize(
            statement.iter_values, statement.predicate, _rewrite_block(statement.block, init, update)
        )
    return statement


def _rewrite_block(block: s_tir.SBlock, init: _Change, update: _Change) -> s_tir.SBlock:
    body, start = _rewrite(block.body, init, update), block.init
    if isinstance(start, BufferStore):
        start = _stored(start, init)
        body = _stored(body, update) if isinstance(body, BufferStore) else body
    fields = (block.iter_vars, block.reads, block.writes, block.name_hint, body, start)
    return s_tir.SBlock(*fields, block.alloc_buffers, block.match_buffers, block.annotations)


def _stored(store: BufferStore, change: _Change) -> BufferStore:
    return BufferStore(store.buffer, change(store.value), store.indices)
