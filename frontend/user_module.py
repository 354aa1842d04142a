"""A user's own network: ``file.py:factory``, where calling ``factory`` returns an ``nn.Module``.

The input's shape is an attribute ``input_shape`` of the module or of the factory, or the request's ``shape``:
``(C, H, W)`` or ``(N, C, H, W)``, ``(C, L)`` or ``(N, C, L)``; a mapping from names to shapes where there are several.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from frontend.input_shapes import Shapes, input_shapes
from mobilenet_tvm.base.errors import UserError, unknown

_CLASSES_PARAMETERS = ("classes", "num_classes")
_LONGEST = 200  # characters of somebody else's message
_HINTS: dict[type, str] = {type(None): ": its last line has to return the module", type: ": it has to call the class"}


@dataclass(frozen=True)
class UserModule:
    """A user's module on the CPU, float32, in evaluation mode; ``shapes`` are its inputs', batch included."""

    name: str
    module: nn.Module
    shapes: Shapes


def is_reference(model: str) -> bool:
    """Whether a model is written as ``file.py:factory``, or at least as somebody's idea of it."""
    return ".py:" in model or model.endswith(".py")


def load(reference: str, shape: object, batch: int, classes: int | None) -> UserModule:
    """Import the file, call the factory, and settle the inputs' shapes.

    :param shape: what the request asks for, see ``input_shapes``; None for the module's own.
    :param batch: replaces the first dimension where it is not 1.
    :param classes: passed to a factory that has a parameter ``classes`` or ``num_classes``.
    :raises UserError: anything about the file, the factory, its result or the shape is wrong.
    """
    file, _, name = reference.rpartition(":")
    if not file or not name.isidentifier():
        raise UserError(f"{reference} names no function; write FILE.py:FUNCTION, a function that returns an nn.Module")
    title = f"{Path(file).name}:{name}"
    factory = _factory(_import_file(Path(file)), file, name)
    module = _call(factory, title, classes)
    own = getattr(module, "input_shape", getattr(factory, "input_shape", None))
    return prepared(title, module, shape if shape is not None else own, batch, name)


def prepared(title: str, module: object, shape: object, batch: int, name: str | None = None) -> UserModule:
    """Whatever a user says is a network, ready to run.

    :param title: what an error calls it.
    :param shape: see ``input_shapes``.
    :param name: the network's; None for ``title``.
    :raises UserError: it is no module, its weights cannot be float32, or nobody says the inputs' shapes.
    """
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    if not isinstance(module, nn.Module):
        raise UserError(f"{title} returned {_kind(module)}, not an nn.Module{_HINTS.get(type(module), '')}")
    if shape is None:
        raise UserError(
            f"{title} does not say its input's shape: set input_shape = (3, 224, 224) on the module, or pass "
            "--shape input:1x3x224x224"
        )
    try:
        module = module.cpu().float().eval()
    except Exception as error:  # of a module whose own float() or eval() is a user's, or whose tensors have no data
        raise UserError(f"{title} cannot be made float32 on the CPU: {described(error)}") from error
    return UserModule(name or title, module, input_shapes(shape, module, batch))


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


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
    except SyntaxError as error:
        where = f"{Path(error.filename or path).name}, line {error.lineno}"
        raise UserError(f"importing {path} failed: SyntaxError: {error.msg} ({where}); mend it first") from error
    except ModuleNotFoundError as error:
        raise UserError(
            f"importing {path} failed: {described(error)}; install it into {sys.prefix}, or import it inside the "
            "function that needs it"
        ) from error
    except (Exception, SystemExit) as error:
        raise UserError(f"importing {path} failed: {described(error)}") from error
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


def _call(factory: Callable[..., Any], title: str, classes: int | None) -> object:
    """What the factory returns; a module that was built already is its own factory."""
    if isinstance(factory, nn.Module):
        if classes is not None:
            raise UserError(f"{title} is a module and takes no number of classes: leave --classes out")
        return factory
    try:
        return factory(**_arguments(factory, title, classes))
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"calling {title} failed: {described(error)}") from error


def _arguments(factory: Callable[..., Any], title: str, classes: int | None) -> dict[str, int]:
    """What the factory is called with.

    :raises UserError: it takes no number of classes and one is asked for, or needs arguments.
    """
    parameters = inspect.signature(factory).parameters
    arguments: dict[str, int] = {}
    if classes is not None:
        accepted = [name for name in _CLASSES_PARAMETERS if name in parameters]
        if not accepted:
            raise UserError(
                f"{title} takes no number of classes: give it a parameter num_classes, or leave --classes out"
            )
        arguments[accepted[0]] = classes
    if needed := [name for name, parameter in parameters.items() if _is_needed(parameter) and name not in arguments]:
        hint = "; --classes N sets it" if needed[0] in _CLASSES_PARAMETERS else ""
        raise UserError(
            f"{title} needs {', '.join(needed)}: give them defaults, or name a function without parameters that calls "
            f"it{hint}"
        )
    return arguments


def _is_needed(parameter: inspect.Parameter) -> bool:
    variadic = parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is inspect.Parameter.empty and not variadic


def described(error: BaseException) -> str:
    """The first line of an error, with the line of the user's code that raised it."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = "" if frame is None else f" ({Path(frame.tb_frame.f_code.co_filename).name}, line {frame.tb_lineno})"
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0][:_LONGEST]}{where}"
