"""Brings Relax's kernels, which index with int64, to the int32 of ours: kernels of both kinds cannot be fused."""

import tvm
from tvm import ir, s_tir, tirx
from tvm.tirx.stmt import For, SeqStmt, Stmt
from tvm.tirx.transform import ForceNarrowIndexToInt32

from tvm_pipeline.workloads.registry import OP_PATTERN_OPAQUE


def narrow_indices(module: tvm.IRModule) -> tvm.IRModule:
    """All kernels of a module with indices of 32 bits, where they allow it."""
    functions = {
        variable: _narrow(function) if isinstance(function, tirx.PrimFunc) else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def _narrow(function: tirx.PrimFunc) -> tirx.PrimFunc:
    """The kernel; one that computes with int64 tensors (an ArgMax, say) as it is, and apart."""
    try:
        narrow = ForceNarrowIndexToInt32()(tvm.IRModule({"main": function}))["main"]
    except tvm.error.InternalError:  # an int64 buffer: the pass has no other way to say so
        return function.with_attr("op_pattern", OP_PATTERN_OPAQUE)
    return narrow.with_body(_mend(narrow.body))


def _mend(statement: Stmt) -> Stmt:
    """The statement; the pass leaves a variable of 64 bits to blocks that make a tensor of rank 0."""
    if isinstance(statement, SeqStmt):
        return SeqStmt([_mend(part) for part in statement.seq])
    if isinstance(statement, For):
        fields = (statement.loop_var, statement.min, statement.extent, statement.kind)
        return For(*fields, _mend(statement.body), statement.thread_binding, statement.annotations)
    if isinstance(statement, s_tir.SBlockRealize):
        values = [tirx.const(0, "int32") if _is_unused(axis) else value for axis, value in _axes(statement)]
        return s_tir.SBlockRealize(values, statement.predicate, _mend_block(statement.block))
    return statement


def _axes(realize: s_tir.SBlockRealize) -> list[tuple[tirx.IterVar, ir.Expr]]:
    return list(zip(realize.block.iter_vars, realize.iter_values, strict=True))


def _is_unused(axis: tirx.IterVar) -> bool:
    """Whether it stands for the one element of a tensor of rank 0."""
    return str(axis.var.ty) != str(axis.dom.extent.ty)


def _mend_block(block: s_tir.SBlock) -> s_tir.SBlock:
    axes = [
        tirx.IterVar(ir.Range(0, 1), tirx.Var(axis.var.name, "int32"), axis.iter_type) if _is_unused(axis) else axis
        for axis in block.iter_vars
    ]
    fields = (axes, block.reads, block.writes, block.name_hint, _mend(block.body), block.init)
    return s_tir.SBlock(*fields, block.alloc_buffers, block.match_buffers, block.annotations)
