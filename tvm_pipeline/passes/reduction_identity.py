"""Maxima that begin at minus infinity, and minima at infinity: TVM's begin at the largest finite number, which is what
they make of nothing but infinities (a row of attention that is masked throughout)."""

import numpy as np
import tvm
from tvm import s_tir, tirx
from tvm.tirx.stmt import BufferStore, For, SeqStmt, Stmt

_LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in ("float16", "float32", "float64")}


def start_at_infinity(module: tvm.IRModule) -> tvm.IRModule:
    """Changes the initial value of every maximum and minimum of floating-point numbers."""
    functions = {
        variable: function.with_body(_rewrite(function.body)) if isinstance(function, tirx.PrimFunc) else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def infinite_identity(value: tvm.ir.Expr) -> tvm.ir.Expr:
    """Infinity for the largest number of a dtype, minus infinity for the smallest; other values as they are."""
    if not isinstance(value, tirx.FloatImm) or abs(float(value.value)) != _LARGEST.get(str(value.ty)):
        return value
    return tirx.const(float(np.copysign(np.inf, float(value.value))), str(value.ty))


def _rewrite(statement: Stmt) -> Stmt:
    if isinstance(statement, SeqStmt):
        return SeqStmt([_rewrite(part) for part in statement.seq])
    if isinstance(statement, For):
        body = _rewrite(statement.body)
        fields = (statement.loop_var, statement.min, statement.extent, statement.kind)
        return For(*fields, body, statement.thread_binding, statement.annotations)
    if isinstance(statement, s_tir.SBlockRealize):
        return s_tir.SBlockRealize(statement.iter_values, statement.predicate, _rewrite_block(statement.block))
    return statement


def _rewrite_block(block: s_tir.SBlock) -> s_tir.SBlock:
    init = block.init
    if isinstance(init, BufferStore):
        init = BufferStore(init.buffer, infinite_identity(init.value), init.indices)
    fields = (block.iter_vars, block.reads, block.writes, block.name_hint, _rewrite(block.body), init)
    return s_tir.SBlock(*fields, block.alloc_buffers, block.match_buffers, block.annotations)
