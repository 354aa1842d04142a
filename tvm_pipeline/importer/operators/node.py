"""What a converter gets: an ONNX node whose inputs are Relax expressions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tvm import relax

from tvm_pipeline.passes.dataflow import constant_of, shape_of


class Unsupported(ValueError):
    """What no converter makes of a node; the text says what would be right."""


@dataclass(frozen=True)
class Node:
    """One node being converted.

    :ivar inputs: None where an optional one is left out at the beginning or in the middle.
    :ivar results: how many outputs the node names.
    :ivar upstream: TVM's own conversion of the node, over other inputs or attributes where they are given.
    """

    builder: relax.BlockBuilder
    inputs: Sequence[relax.Expr | None]
    attributes: Mapping[str, Any]
    opset: int
    results: int
    upstream: Callable[..., relax.Expr] = field(repr=False)

    @property
    def data(self) -> relax.Expr:
        """The first input, as a tensor."""
        return self.tensor(0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first input."""
        return shape_of(self.data)

    @property
    def dtype(self) -> str:
        """Of the first input."""
        return dtype_of(self.data)

    def has(self, index: int) -> bool:
        """Whether input number ``index`` is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def tensor(self, index: int) -> relax.Expr:
        """Input number ``index``, which must be given; the importer's shapes become constants."""
        value = self.inputs[index]
        if isinstance(value, relax.ShapeExpr):
            return constant(np.array([int(extent) for extent in value.values], np.int64))
        return value

    def constant(self, index: int) -> np.ndarray | None:
        """The value of input number ``index``; None where it is not given.

        :raises Unsupported: it is computed at run time.
        """
        if not self.has(index):
            return None
        value = constant_of(self.tensor(index))
        if value is None:
            raise Unsupported(f"its input number {index} is computed at run time: make it a constant of the model")
        return value

    def get(self, name: str, default: Any) -> Any:
        """An attribute; text is decoded."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def emit(self, expression: relax.Expr) -> relax.Var:
        return self.builder.emit(expression)

    def compute(self, function: Callable[..., Any], *operands: relax.Expr) -> relax.Var:
        """The result of a tensor expression."""
        return self.builder.emit_te(function, *operands)

    def scalar(self, value: float) -> relax.Expr:
        """A constant of the first input's dtype."""
        return relax.const(value, self.dtype)


Convert = Callable[[Node], relax.Expr]
"""Returns the node's result, or a :class:`relax.Tuple` of its results."""


def constant(array: np.ndarray) -> relax.Expr:
    """The array as it is (``relax.const`` alone makes 32 bits of 64)."""
    return relax.const(array, str(array.dtype))


def places(array: np.ndarray) -> relax.Expr:
    """A table of indices, of the 32 bits that kernels index with: one of 64 could not be fused with its neighbours."""
    return constant(array.astype(np.int32))


def dtype_of(expression: relax.Expr) -> str:
    """A tensor's dtype as NumPy names it."""
    return str(expression.ty.dtype)


def cast(expression: relax.Expr, dtype: str) -> relax.Expr:
    """The tensor as a ``dtype``; itself where it is one."""
    return expression if dtype_of(expression) == dtype else relax.op.astype(expression, dtype)


def normal_axes(axes: Sequence[int], rank: int) -> list[int]:
    """The axes counted from the front, in the given order."""
    return [int(axis) % rank for axis in axes]
