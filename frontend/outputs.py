"""What a module returns, whatever it is packed in, as tensors with names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import nn

from mobilenet_tvm.base.errors import UserError

OUTPUT_NAME = "logits"  # of the one output of a module that calls it nothing


def distinct(names: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """Names of which none is taken: in ONNX an output cannot be called as an input is."""
    inputs = set(taken)
    return tuple(f"{name}_out" if name in inputs else name for name in names)


def named_outputs(output: object, title: str) -> dict[str, torch.Tensor]:
    """The tensors of an output by their names.

    A mapping's keys and the fields of a named tuple or a dataclass are names; what a list holds is numbered. None is
    left out, as transformers' and torchvision's outputs have it for what they do not compute.

    :param title: what an error calls the module.
    :raises UserError: there is something else in it, or no tensor.
    """
    parts = list(_parts("", output, title))
    tensors = {name or OUTPUT_NAME: tensor for name, tensor in parts}
    if not tensors:
        raise UserError(f"{title} returns no tensor; an exported module returns one, or several")
    if len(tensors) < len(parts):
        raise UserError(f"{title} returns two outputs of one name: {', '.join(name for name, _ in parts)}")
    return tensors


def _parts(name: str, value: object, title: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        if value.is_complex() or value.is_sparse or value.is_quantized:
            raise UserError(f"{title} returns a tensor of {value.dtype}; what can be exported is dense and real")
        yield name, value
        return
    for key, part in _children(name, value, title):
        if part is not None:
            yield from _parts(f"{name}_{key}" if name else key, part, title)


def _children(name: str, value: object, title: str) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, tuple | list):
        return [(f"{'' if name else 'output_'}{index}", part) for index, part in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    raise UserError(
        f"{title} returns {type(value).__name__}{f' as {name}' if name else ''}, and an exported module returns "
        "tensors: one, or several in a tuple, a list or a dict; wrap it in a module that returns those"
    )


def is_flat(output: object) -> bool:
    """Whether the exporters take an output as it is: a tensor, or a tuple of tensors."""
    parts = output if isinstance(output, tuple) else (output,)
    return all(isinstance(part, torch.Tensor) for part in parts)


class Flat(nn.Module):
    """A module whose tensors come out as a plain tuple, which the exporters understand."""

    def __init__(self, module: nn.Module, title: str) -> None:
        super().__init__()
        self.module = module
        self.title = title

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(named_outputs(self.module(*inputs), self.title).values())
