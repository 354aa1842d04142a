"""The shapes of a module's inputs, by the inputs' names, batch included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn
from torch.nn.modules.conv import _ConvNd

from mobilenet_tvm.base.errors import UserError

INPUT_NAME = "input"  # of the one input of a module that calls it nothing
_IMAGE_RANK = 4  # [N, C, H, W]

Shapes = dict[str, tuple[int, ...]]


def read_shape(shape: object) -> tuple[int, ...]:
    """A sequence of dimensions, somebody's ``input_shape`` say, as tuple.

    :raises UserError: it is none, or a dimension is no positive whole number.
    """
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        raise UserError(f"a shape is a list of dimensions such as [1, 3, 224, 224], not {shape!r}")
    if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise UserError(f"a shape has positive whole dimensions, such as 1x3x224x224; this one is {list(shape)}")
    return tuple(shape)


def input_shapes(asked: object, module: nn.Module, batch: int) -> Shapes:
    """The whole shapes of a module's inputs.

    :param asked: one input's shape, or a mapping of names to shapes in the order of ``forward``'s parameters; each with
        or without the batch: ``(C, H, W)`` and ``(N, C, H, W)``, or ``(C, L)`` and ``(N, C, L)`` of a module whose
        first convolution is a ``Conv1d``.
    :param batch: replaces the first dimension where it is not 1.
    :raises UserError: no such shape.
    """
    named = asked if isinstance(asked, Mapping) else {INPUT_NAME: asked}
    if not named:
        raise UserError("a module has at least one input: input_shape names none")
    rank = _rank(module)
    return {str(name): _with_batch(read_shape(shape), rank, batch) for name, shape in named.items()}


def _rank(module: nn.Module) -> int:
    """The rank, batch included, of what the module's first convolution takes."""
    first = next((layer for layer in module.modules() if isinstance(layer, _ConvNd)), None)
    return _IMAGE_RANK if first is None else len(first.kernel_size) + 2


def _with_batch(shape: tuple[int, ...], rank: int, batch: int) -> tuple[int, ...]:
    if len(shape) in (1, rank - 1):
        return (batch, *shape)
    return shape if batch == 1 else (batch, *shape[1:])
