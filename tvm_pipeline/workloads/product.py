"""A product of two matrices, or of many pairs of them: what it multiplies, and what is done to the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Product:
    """``[..., M, K] x [..., K, N] -> [..., M, N]``, leading axes broadcast as NumPy does it.

    :ivar left: the shape of the first operand.
    :ivar right: of the second, as if it were not transposed.
    :ivar transposed: the second operand is stored as ``[..., N, K]``.
    :ivar packed: the second operand is constant weights, stored as ``[N/b, K, b]``.
    :ivar scale: what the product is multiplied by.
    :ivar epilogue: as a layer's: a bias is ``[N]``, a residual as the result.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    transposed: bool = False
    packed: bool = False
    scale: float = 1.0
    epilogue: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return self.left[-2]

    @property
    def inner(self) -> int:
        return self.left[-1]

    @property
    def columns(self) -> int:
        return self.right[-1]

    @property
    def batch(self) -> tuple[int, ...]:
        """The result's leading axes."""
        rank = max(len(self.left), len(self.right)) - 2
        sides = [(1,) * (rank - len(shape) + 2) + shape[:-2] for shape in (self.left, self.right)]
        return tuple(max(pair) for pair in zip(*sides, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result."""
        return (*self.batch, self.rows, self.columns)

    @property
    def mult_adds(self) -> int:
        return prod(self.shape) * self.inner

    @property
    def name(self) -> str:
        """An identifier: ``matmul_n4_65x16x65_transposed_scaled``."""
        sizes = f"matmul_n{prod(self.batch)}_{self.rows}x{self.inner}x{self.columns}"
        marks = {"transposed": self.transposed, "weights": self.packed, "scaled": self.scale != 1.0}
        return "_".join([sizes, *(mark for mark, holds in marks.items() if holds), *self.epilogue])


def broadcast_strides(own: Sequence[int], batch: Sequence[int]) -> list[int]:
    """How many matrices one step along each axis of ``batch`` moves an operand with the leading axes ``own``."""
    strides: list[int] = []
    step = 1
    for place in range(len(batch)):
        extent = own[-1 - place] if place < len(own) else 1
        strides.insert(0, step if extent > 1 else 0)
        step *= extent
    return strides
