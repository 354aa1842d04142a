"""Inputs of any shape and dtype out of a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from mobilenet_tvm.package.reference import COUNT

if TYPE_CHECKING:
    import numpy as np

SPANS = (100, 4, 1)
"""Values that int32 and int64 inputs have, from 0 on: they may be indices, which must be within what they index. The
first is taken where the network allows it."""
_WIDE = ("int32", "int64", "uint32", "uint64")


class Described(Protocol):
    """An input's shape and dtype."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> str: ...


def may_be_indices(tensors: Sequence[Described]) -> bool:
    """Whether there is an input of whole numbers that need not be quantities."""
    return any(tensor.dtype in _WIDE for tensor in tensors)


def seeded_inputs(
    tensors: Sequence[Described], seed: int = 0, count: int = COUNT, span: int = SPANS[0]
) -> list[tuple[np.ndarray, ...]]:
    """``count`` times all inputs; the same for the same seed.

    Floating-point numbers are standard normal, bytes and 16-bit integers have their whole range.

    :param span: int32 and int64 are 0 to ``span`` - 1.
    """
    import numpy as np

    def draw(tensor: Described, key: list[int]) -> np.ndarray:
        random = np.random.default_rng(key)
        kind = np.dtype(tensor.dtype)
        if kind.kind == "f":
            wide = np.float64 if kind.itemsize == 8 else np.float32
            return random.standard_normal(tensor.shape, dtype=wide).astype(kind)
        if kind.kind == "b":
            return np.asarray(random.integers(0, 2, tensor.shape).astype(kind))
        if tensor.dtype in _WIDE:
            return np.asarray(random.integers(0, span, tensor.shape).astype(kind))
        info = np.iinfo(kind)
        return np.asarray(random.integers(info.min, info.max + 1, tensor.shape).astype(kind))

    return [
        tuple(draw(tensor, [seed, i, *([k] if k else [])]) for k, tensor in enumerate(tensors)) for i in range(count)
    ]
