"""Makes vectors of innermost loops that a schedule left as they are: whole vectors first, then ever smaller ones.

A sum, product, maximum or minimum along a row is made by lanes, and the lanes are joined at the end. (A schedule's own
``rfactor`` of a row that is no whole number of vectors loses its bounds in ``compute_at``.)
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from tvm import ir, s_tir, tirx
from tvm.tirx.stmt import BufferStore, For, ForKind, SeqStmt, Stmt

from tvm_pipeline.schedules.cpu.loop_index import Access, like, mentions, stride_of, substitute

_MOST_VECTORS = 4
"""Sums side by side in one reduction: an addition takes so many cycles."""

_REDUCERS: Mapping[type, Callable[[str], ir.Expr]] = {
    tirx.Add: lambda dtype: tirx.const(0, dtype),
    tirx.Mul: lambda dtype: tirx.const(1, dtype),
    tirx.Max: lambda dtype: tirx.const(-math.inf, dtype) if "float" in str(dtype) else tirx.min_value(dtype),
    tirx.Min: lambda dtype: tirx.const(math.inf, dtype) if "float" in str(dtype) else tirx.max_value(dtype),
}
"""What an empty reduction is."""


def vectorize_innermost(function: tirx.PrimFunc, lanes: int) -> tirx.PrimFunc:
    """The scheduled kernel with vectors of up to so many ``lanes``."""
    root = function.body
    accumulators: list[tirx.Buffer] = []
    body = _Vectorizer(lanes, accumulators).rewrite(root.block.body)
    return function.with_body(_with_block(root, body, [*root.block.alloc_buffers, *accumulators]))


def _with_block(
    realize: s_tir.SBlockRealize, body: Stmt, buffers: Sequence[tirx.Buffer], values: Sequence[ir.Expr] | None = None
) -> s_tir.SBlockRealize:
    block = realize.block
    changed = s_tir.SBlock(
        block.iter_vars,
        block.reads,
        block.writes,
        block.name_hint,
        body,
        block.init,
        buffers,
        block.match_buffers,
        block.annotations,
    )
    return s_tir.SBlockRealize(realize.iter_values if values is None else values, realize.predicate, changed)


class _Vectorizer:
    def __init__(self, lanes: int, accumulators: list[tirx.Buffer]) -> None:
        self.lanes = lanes
        self.accumulators = accumulators

    def rewrite(self, statement: Stmt) -> Stmt:
        if isinstance(statement, SeqStmt):
            return SeqStmt([self.rewrite(part) for part in statement.seq])
        if isinstance(statement, For):
            return self._rewrite_loop(statement)
        return statement

    def _rewrite_loop(self, loop: For) -> Stmt:
        nest = _nest_of(loop)
        if nest is not None and all(_is_reduction(realize_loop, nest[-1].body) for realize_loop in nest):
            return self._reduction(nest) or loop
        if isinstance(loop.body, s_tir.SBlockRealize) and loop.kind == ForKind.SERIAL:
            return self._elementwise(loop, loop.body) or loop
        return _with_loop_body(loop, self.rewrite(loop.body))

    def _elementwise(self, loop: For, realize: s_tir.SBlockRealize) -> Stmt | None:
        """The loop in vectors; None where what it reads or writes does not lie side by side."""
        variable = _variable_of(loop, realize)
        if variable is None or variable.iter_type != tirx.IterVar.DataPar or realize.block.init is not None:
            return None
        access = Access(realize.block)
        is_in_order = access.reads_side_by_side(variable.var) and access.stores_side_by_side(variable.var)
        return _pieces(loop, realize, self.lanes) if is_in_order else None

    def _reduction(self, nest: list[For]) -> Stmt | None:
        """Loops around one sum, the innermost by lanes; None where that is no row, or shorter than a vector."""
        loop, realize = nest[-1], nest[-1].body
        variable, store, extent, width = _variable_of(loop, realize), realize.block.body, int(loop.extent), self.lanes
        if variable is None or not isinstance(store, BufferStore) or type(store.value) not in _REDUCERS:
            return None
        if (
            realize.block.init is not None
            or extent < width
            or not Access(realize.block).reads_side_by_side(variable.var)
        ):
            return None
        operands = [store.value.a, store.value.b]
        ours = next((place for place, operand in enumerate(operands) if _is_load_of(operand, store)), None)
        if ours is None:
            return None
        while width < min(self.lanes * _MOST_VECTORS, extent // 2):
            width *= 2
        return self._by_lanes(nest, width, ours)

    def _by_lanes(self, nest: list[For], width: int, ours: int) -> Stmt:
        """The reduction with as many sums as ``width``; operand ``ours`` of the block's operation is its result."""
        *outer, loop = nest
        realize = loop.body
        store, extent = realize.block.body, int(loop.extent)
        operation, dtype = store.value, str(store.buffer.dtype)
        operands = [operation.a, operation.b]
        sums = tirx.decl_buffer((width,), dtype, f"lanes_{len(self.accumulators)}", scope="local")
        self.accumulators.append(sums)
        step, empty, added = (like(loop.loop_var, name) for name in ("step", "empty", "lane"))
        combine = type(operation)
        clear = BufferStore(sums, _REDUCERS[combine](dtype), [empty])
        add = BufferStore(sums, combine(tirx.BufferLoad(sums, [added]), operands[1 - ours]), [added])
        join = BufferStore(store.buffer, combine(operands[ours], tirx.BufferLoad(sums, [0])), store.indices)
        lanes = For(
            added,
            0,
            width,
            ForKind.VECTORIZED,
            _with_block(realize, add, (), _values_at(loop, realize, step * width + added)),
        )
        rest = extent % width
        row: Stmt = For(step, 0, extent // width, ForKind.SERIAL, lanes)
        if rest:
            row = SeqStmt([row, _tail(loop, realize, extent - rest, rest)])
        for around in reversed(outer):
            row = _with_loop_body(around, row)
        values = list(realize.iter_values)
        for inside in nest:
            zero = tirx.const(0, str(inside.loop_var.ty.dtype))
            values = [substitute(value, inside.loop_var, zero) for value in values]
        joining = _with_block(realize, join, (), values)
        return SeqStmt(
            [
                For(empty, 0, width, ForKind.VECTORIZED, clear),
                row,
                *_halved(sums, width, combine, loop.loop_var),
                joining,
            ]
        )


def _halved(sums: tirx.Buffer, width: int, combine: type, variable: tirx.Var) -> Iterator[Stmt]:
    """Joins all lanes in the first one, half of them at a time."""
    while width > 1:
        width //= 2
        lane = like(variable, "joined")
        halves = (tirx.BufferLoad(sums, [lane]), tirx.BufferLoad(sums, [lane + width]))
        kind = ForKind.VECTORIZED if width > 1 else ForKind.SERIAL
        yield For(lane, 0, width, kind, BufferStore(sums, combine(*halves), [lane]))


def _nest_of(loop: For) -> list[For] | None:
    """The loops from this one to the block that is alone inside them; None where there is more, or threads."""
    nest = [loop]
    while isinstance(nest[-1].body, For):
        nest.append(nest[-1].body)
    is_serial = all(one.kind == ForKind.SERIAL for one in nest)
    return nest if is_serial and isinstance(nest[-1].body, s_tir.SBlockRealize) else None


def _variable_of(loop: For, realize: s_tir.SBlockRealize) -> tirx.IterVar | None:
    """The block's variable that alone goes with the loop, step by step."""
    places = [place for place, value in enumerate(realize.iter_values) if mentions(value, loop.loop_var)]
    if len(places) != 1 or int(loop.extent) < 2 or stride_of(realize.iter_values[places[0]], loop.loop_var) != 1:
        return None
    return realize.block.iter_vars[places[0]]


def _is_reduction(loop: For, realize: s_tir.SBlockRealize) -> bool:
    if int(loop.extent) < 2:
        return True
    variable = _variable_of(loop, realize)
    return variable is not None and variable.iter_type != tirx.IterVar.DataPar


def _is_load_of(expression: ir.Expr, store: BufferStore) -> bool:
    return isinstance(expression, ir.TensorLoad) and expression.source.same_as(store.buffer)


def _values_at(loop: For, realize: s_tir.SBlockRealize, position: ir.Expr) -> list[ir.Expr]:
    return [substitute(value, loop.loop_var, position) for value in realize.iter_values]


def _tail(loop: For, realize: s_tir.SBlockRealize, start: int, extent: int) -> For:
    position = like(loop.loop_var, "rest")
    values = _values_at(loop, realize, position + start)
    return For(position, 0, extent, ForKind.SERIAL, _with_block(realize, realize.block.body, (), values))


def _pieces(loop: For, realize: s_tir.SBlockRealize, lanes: int) -> Stmt:
    """Whole vectors, and what is left by halves."""
    extent, start, width = int(loop.extent), 0, lanes
    parts: list[Stmt] = []
    while start < extent:
        while width > extent - start:
            width //= 2
        count = (extent - start) // width
        step, lane = like(loop.loop_var, "step"), like(loop.loop_var, "lane")
        values = _values_at(loop, realize, step * width + lane + start)
        body = _with_block(realize, realize.block.body, (), values)
        inner = For(lane, 0, width, ForKind.VECTORIZED, body) if width > 1 else For(lane, 0, 1, ForKind.SERIAL, body)
        parts.append(For(step, 0, count, ForKind.SERIAL, inner))
        start += count * width
    return parts[0] if len(parts) == 1 else SeqStmt(parts)


def _with_loop_body(loop: For, body: Stmt) -> For:
    return For(loop.loop_var, loop.min, loop.extent, loop.kind, body, loop.thread_binding, loop.annotations)
