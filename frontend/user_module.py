"""A user's own network: ``file.py:factory``, where calling ``factory`` returns an ``nn.Module``.

The input's shape is an attribute ``input_shape`` of the module or of the factory, ``(C, H, W)`` or ``(N, C, H, W)``, or
the request's ``shape``.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from mobilenet_tvm.base.errors import UserError, unknown

_CLASSES_PARAMETERS = ("classes", "num_classes")


@dataclass(frozen=True)
class UserModule:
    """A user's module on the CPU, float32, in evaluation mode; ``shape`` is its whole input's, batch included."""

    name: str
    module: nn.Module
    shape: tuple[int, ...]


def is_reference(model: str) -> bool:
    """Whether a model is written as ``file.py:factory``, or at least as somebody's idea of it."""
    return ".py:" in model or model.endswith(".py")


def load(reference: str, shape: object, batch: int, classes: int | None) -> UserModule:
    """Import the file, call the factory, and settle the input's shape.

    :param shape: what the request asks for, see ``read_shape``; None for the module's own.
    :param batch: replaces the first dimension where it is not 1.
    :param classes: passed to a factory that has a parameter ``classes`` or ``num_classes``.
    :raises UserError: anything about the file, the factory, its result or the shape is wrong.
    """
    file, _, name = reference.rpartition(":")
    if not file or not name.isidentifier():
        raise UserError(f"{reference} names no function; write FILE.py:FUNCTION, a function that returns an nn.Module")
    factory = _factory(_import_file(Path(file)), file, name)
    module = _call(factory, f"{Path(file).name}:{name}", classes)
    wanted = shape if shape is not None else getattr(module, "input_shape", getattr(factory, "input_shape", None))
    if wanted is None:
        raise UserError(
            f"{Path(file).name}:{name} does not say its input's shape: set input_shape = (3, 224, 224) on the module, "
            "or pass --shape input:1x3x224x224"
        )
    return UserModule(name, module.cpu().float().eval(), _with_batch(read_shape(wanted), batch))


def read_shape(shape: object) -> tuple[int, ...]:
    """A sequence of dimensions, somebody's ``input_shape`` say, as tuple.

    :raises UserError: it is none, or a dimension is no positive whole number.
    """
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        raise UserError(f"a shape is a list of dimensions such as [1, 3, 224, 224], not {shape!r}")
    if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise UserError(f"a shape has positive whole dimensions, such as 1x3x224x224; this one is {list(shape)}")
    return tuple(shape)


def _with_batch(shape: tuple[int, ...], batch: int) -> tuple[int, ...]:
    if len(shape) == 3:
        return (batch, *shape)
    return shape if batch == 1 else (batch, *shape[1:])


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    specification = importlib.util.spec_from_file_location(f"user_module_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise UserError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses and pickles look their module up
    sys.path.insert(0, str(path.parent.absolute()))  # so that the file can import its neighbours
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UserError(f"importing {path} failed: {_described(error)}") from error
    return module


def _factory(module: ModuleType, file: str, name: str) -> Callable[..., Any]:
    value = getattr(module, name, None)
    if callable(value):
        factory: Callable[..., Any] = value
        return factory
    if value is not None:
        raise UserError(f"{name} in {file} cannot be called")
    own = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    raise unknown(f"function in {file}:", name, own)


def _call(factory: Callable[..., Any], title: str, classes: int | None) -> nn.Module:
    arguments: dict[str, int] = {}
    if classes is not None:
        accepted = [name for name in _CLASSES_PARAMETERS if name in inspect.signature(factory).parameters]
        if not accepted:
            raise UserError(
                f"{title} takes no number of classes: give it a parameter num_classes, or leave --classes out"
            )
        arguments[accepted[0]] = classes
    try:
        module = factory(**arguments)
    except (Exception, SystemExit) as error:
        raise UserError(f"calling {title} failed: {_described(error)}") from error
    if not isinstance(module, nn.Module):
        raise UserError(f"{title} returned {type(module).__name__}, not an nn.Module")
    return module


def _described(error: BaseException) -> str:
    """The error, with the line of the user's code that raised it."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = "" if frame is None else f" ({Path(frame.tb_frame.f_code.co_filename).name}, line {frame.tb_lineno})"
    return f"{type(error).__name__}: {error}{where}"
