"""How what a block reads and writes moves through memory with each of its variables."""

from collections.abc import Iterator, Sequence

from tvm import ir, s_tir, sym, tirx
from tvm.tirx.stmt import BufferStore


def children(expression: ir.Expr) -> list[ir.Expr]:
    """What an expression is made of, a load's indices among it."""
    if isinstance(expression, ir.TensorLoad):
        return list(expression.indices)
    if isinstance(expression, tirx.Select):
        return [expression.condition, expression.true_value, expression.false_value]
    if isinstance(expression, ir.Call):
        return [argument for argument in expression.args if isinstance(argument, ir.Expr)]
    fields = (getattr(expression, name, None) for name in ("a", "b", "value"))
    return [field for field in fields if isinstance(field, ir.Expr)]


def mentions(expression: ir.Expr, variable: tirx.Var) -> bool:
    """Whether the expression depends on the variable."""
    return bool(expression.same_as(variable)) or any(mentions(child, variable) for child in children(expression))


def stride_of(index: ir.Expr, variable: tirx.Var) -> int | None:
    """By how much the index grows with the variable; None where it does not grow evenly."""
    linear = sym.detect_linear_equation(index, [variable])
    return int(linear[0]) if len(linear) == 2 and isinstance(linear[0], tirx.IntImm) else None


def substitute(index: ir.Expr, variable: tirx.Var, value: ir.Expr) -> ir.Expr:
    """A sum of products of loops' variables with one of them replaced."""
    if index.same_as(variable):
        return value
    if hasattr(index, "a") and hasattr(index, "b"):
        return type(index)(substitute(index.a, variable, value), substitute(index.b, variable, value))
    return index


def like(variable: tirx.Var, name: str) -> tirx.Var:
    """Another variable of the same dtype: kernels that compute with int64 tensors index with int64."""
    return tirx.Var(name, str(variable.ty.dtype))


class Access:
    """The memory that a block of one store goes through, by the strides of its variables in values."""

    def __init__(self, block: s_tir.SBlock) -> None:
        store = block.body
        self._analyzer = sym.Analyzer()
        for variable in block.iter_vars:
            self._analyzer.bind(variable.var, variable.dom)
        self.variables = [variable.var for variable in block.iter_vars]
        parts = list(_loads_and_choices(store.value)) if isinstance(store, BufferStore) else []
        self._choices = [part for part in parts if not isinstance(part, ir.TensorLoad)]
        self._loads = [self._flat(load.source, load.indices) for load in parts if isinstance(load, ir.TensorLoad)]
        self._store = self._flat(store.buffer, store.indices) if isinstance(store, BufferStore) else None

    def _flat(self, buffer: tirx.Buffer, indices: Sequence[ir.Expr]) -> ir.Expr:
        position: ir.Expr = tirx.const(0, str(indices[0].ty.dtype) if indices else "int32")
        for extent, index in zip(buffer.shape, indices, strict=True):
            position = position * int(extent) + index
        return self._analyzer.simplify(position)

    def stores_side_by_side(self, variable: tirx.Var) -> bool:
        """Whether results lie side by side along the variable."""
        return self._store is not None and stride_of(self._store, variable) == 1

    def reads_side_by_side(self, variable: tirx.Var) -> bool:
        """Whether all values that depend on the variable lie side by side along it, and no choice depends on it."""
        is_chosen = any(mentions(choice, variable) for choice in self._choices)
        return not is_chosen and all(stride_of(load, variable) in (0, 1) for load in self._loads)

    def reads_runs(self, variable: tirx.Var, size: int) -> bool:
        """Whether runs of so many values along the variable lie side by side, each wherever it is."""
        outer, inner = like(variable, "outer"), like(variable, "inner")
        self._analyzer.bind(inner, ir.Range(0, size))
        runs = [self._analyzer.simplify(substitute(load, variable, outer * size + inner)) for load in self._loads]
        is_chosen = any(mentions(choice, variable) for choice in self._choices)
        return not is_chosen and all(stride_of(run, inner) in (0, 1) for run in runs)

    def is_flat(self) -> bool:
        """Whether everything that is read lies as the result does, or is a single value."""
        if self._store is None or self._choices:
            return False
        own = [stride_of(self._store, variable) for variable in self.variables]
        others = [[stride_of(load, variable) for variable in self.variables] for load in self._loads]
        return None not in own and all(strides == own or not any(strides) for strides in others)


def _loads_and_choices(expression: ir.Expr) -> Iterator[ir.Expr]:
    if isinstance(expression, ir.TensorLoad):
        yield expression
        return
    if isinstance(expression, tirx.Select):
        yield expression.condition
    elif isinstance(expression, ir.Call) and str(expression.op.name).endswith("if_then_else"):
        yield expression.args[0]
    for child in children(expression):
        yield from _loads_and_choices(child)
