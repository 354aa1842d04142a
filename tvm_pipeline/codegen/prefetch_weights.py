"""Asks for memory some steps before it is used, weights above all: hardware prefetchers stop at every page.

A schedule marks the loop over steps with ``PREFETCH_STEPS``; this pass puts the prefetches at the start of its body.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import tvm
from tvm import s_tir, tirx
from tvm.tirx.stmt import AttrStmt, Evaluate, For, SeqStmt, Stmt

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.channel_block import block_count
from tvm_pipeline.schedules.annotations import PREFETCH_PANEL, PREFETCH_STEPS, PREFETCH_STRIPE
from tvm_pipeline.workloads.workload import ANCHOR

WEIGHT = "weight"
_READ, _INTO_FIRST_LEVEL, _INTO_SECOND_LEVEL, _DATA = 0, 3, 2, 1
_PIXEL_AXIS = 2

_Values = Mapping[tirx.Var, tvm.ir.Expr]


@tvm.transform.module_pass(opt_level=0)  # type: ignore[untyped-decorator]
def prefetch_weights(module: tvm.IRModule, _: tvm.transform.PassContext) -> tvm.IRModule:
    """Puts prefetches into every loop that asks for them; kernels without such loops stay as they are."""
    functions = {
        variable: _rewrite_function(function) if isinstance(function, tirx.PrimFunc) else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def _rewrite_function(function: tirx.PrimFunc) -> tirx.PrimFunc:
    data = function.params[0] if function.params else None
    return function.with_body(_rewrite(function.body, data))


def _rewrite(statement: Stmt, data: tirx.Buffer | None) -> Stmt:
    if isinstance(statement, s_tir.SBlockRealize):
        block = statement.block
        body = _rewrite(block.body, data)
        if body.same_as(block.body):
            return statement
        fields = (block.iter_vars, block.reads, block.writes, block.name_hint, body, block.init, block.alloc_buffers)
        changed = s_tir.SBlock(*fields, block.match_buffers, block.annotations)
        return s_tir.SBlockRealize(statement.iter_values, statement.predicate, changed)
    if isinstance(statement, SeqStmt):
        parts = [_rewrite(part, data) for part in statement.seq]
        unchanged = all(new.same_as(old) for new, old in zip(parts, statement.seq, strict=True))
        return statement if unchanged else SeqStmt(parts)
    if isinstance(statement, AttrStmt):
        return AttrStmt(statement.node, statement.attr_key, statement.value, _rewrite(statement.body, data))
    if isinstance(statement, For):
        return _rewrite_loop(statement, data)
    return statement


def _rewrite_loop(loop: For, data: tirx.Buffer | None) -> Stmt:
    annotations = dict(loop.annotations)
    rows = annotations.pop(PREFETCH_STRIPE, None)
    if rows is not None:
        body = SeqStmt([*_next_stripe(loop, int(rows), data), loop.body])
        return _with_body(loop, body, annotations)
    steps = annotations.pop(PREFETCH_STEPS, None)
    if steps is None:
        body = _rewrite(loop.body, data)
        return loop if body.same_as(loop.body) else _with_body(loop, body, annotations)
    tile_m = int(annotations.pop(PREFETCH_PANEL, 0))
    return _with_body(loop, SeqStmt([*_prefetches(loop.body, int(steps), tile_m), loop.body]), annotations)


def _with_body(loop: For, body: Stmt, annotations: Mapping[str, object]) -> For:
    return For(loop.loop_var, loop.min, loop.extent, loop.kind, body, loop.thread_binding, annotations)


def _prefetches(tile: Stmt, steps: int, tile_m: int) -> Iterator[Stmt]:
    """One prefetch per block of weights that the tile, a nest of loops around one block, reads in a step."""
    loops, tile = _loops_of(tile)
    block = tile.block
    weight = next(region for region in block.reads if region.source.name == WEIGHT)
    bound = {axis.var: value for axis, value in zip(block.iter_vars, tile.iter_values, strict=True)}
    *lead, step, _ = [_substitute(axis.min, bound) for axis in weight.region]
    used = [loop for loop in loops if any(_mentions(index, loop.loop_var) for index in (*lead, step))]
    points = list(_all_values(loops, used))
    for values in points:
        indices = [*(_substitute(index, values) for index in lead), _substitute(step, values) + steps]
        yield _prefetch(weight.source, indices, _INTO_FIRST_LEVEL)
    if tile_m:
        c, *rest = (_substitute(index, points[0]) for index in (*lead, step))
        tile_of_pixels = tirx.floordiv(_substitute(tile.iter_values[_PIXEL_AXIS], points[0]), tile_m)
        yield _prefetch(weight.source, [c + len(points) + tile_of_pixels, *rest], _INTO_SECOND_LEVEL)


def _next_stripe(loop: For, rows: int, data: tirx.Buffer) -> Iterator[Stmt]:
    """This step's share of the pixels that lie ``rows`` output rows below those of its tile, in the same channels."""
    loops, tile = _loops_of(loop.body)
    layer = Layer.parse(str(tile.block.annotations[ANCHOR]))
    zero = next(iter(_all_values(loops, ())))
    n, c, y, x, _, ko, _ = [_substitute(value, zero) for value in tile.iter_values]
    tile_n, tile_w = (_extent_along(tile.iter_values[axis], loops) for axis in (1, 3))
    (down, across), below = layer.stride, layer.kernel[0] - layer.padding[0] - layer.stride[0]
    lines = tile_w * down * across
    steps = block_count(layer.out_channels) // tile_n * int(loop.extent)
    share = -(-lines // steps)
    first = (tirx.floordiv(c, tile_n) * int(loop.extent) + loop.loop_var) * share
    for line in range(share):
        position = first + line
        row = (y + rows) * down + below + tirx.floordiv(position, tile_w * across)
        pixel = row * layer.width + x * across + tirx.floormod(position, tile_w * across)
        yield _prefetch(data, [n, ko, pixel], _INTO_SECOND_LEVEL)


def _loops_of(tile: Stmt) -> tuple[list[For], s_tir.SBlockRealize]:
    """The nest of loops around a statement's last block; what stands before that one loads its inputs."""
    loops = []
    while isinstance(tile, For | SeqStmt):
        if isinstance(tile, For):
            loops.append(tile)
        tile = tile.body if isinstance(tile, For) else tile.seq[-1]
    return loops, tile


def _extent_along(index: tvm.ir.Expr, loops: Sequence[For]) -> int:
    """How far the loops together go along one axis of a block."""
    return prod(int(loop.extent) for loop in loops if _mentions(index, loop.loop_var))


def _prefetch(buffer: tirx.Buffer, indices: Sequence[tvm.ir.Expr], level: int) -> Stmt:
    address = tirx.address_of(tirx.BufferLoad(buffer, [*indices, 0]))
    arguments = [tirx.const(value, "int32") for value in (_READ, level, _DATA)]
    return Evaluate(tirx.call_llvm_intrin("void", "llvm.prefetch", address, *arguments))


def _all_values(loops: Sequence[For], used: Sequence[For]) -> Iterator[_Values]:
    """All points of the loops ``used``, the others at zero."""
    points: list[dict[tirx.Var, tvm.ir.Expr]] = [{loop.loop_var: tirx.const(0, "int32") for loop in loops}]
    for loop in used:
        each = range(int(loop.extent))
        points = [{**point, loop.loop_var: tirx.const(value, "int32")} for point in points for value in each]
    yield from points


def _substitute(expression: tvm.ir.Expr, values: _Values) -> tvm.ir.Expr:
    if isinstance(expression, tirx.Var):
        return next((value for variable, value in values.items() if variable.same_as(expression)), expression)
    if hasattr(expression, "a") and hasattr(expression, "b"):
        return type(expression)(_substitute(expression.a, values), _substitute(expression.b, values))
    return expression


def _mentions(expression: tvm.ir.Expr, variable: tirx.Var) -> bool:
    if hasattr(expression, "a") and hasattr(expression, "b"):
        return _mentions(expression.a, variable) or _mentions(expression.b, variable)
    return bool(expression.same_as(variable))
