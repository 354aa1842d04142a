"""What kind of thing MODEL is: a name of the zoo, an ONNX file, ``file.py:factory``, or a module."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.requests import Model
from mobilenet_tvm.model import module_file

_OFFERED = 5  # functions of a file that an error names


def spelled(model: Model) -> str:
    """MODEL in words: as the user wrote it, or the class's name of a module.

    :raises UserError: it is none of those, or names a Python file and no function in it.
    """
    if module_file.is_module(model):
        return module_file.name_of(model)
    if not isinstance(model, str | os.PathLike):
        raise UserError(
            f"MODEL is a name of the zoo, an .onnx file, file.py:factory or an nn.Module, not {type(model).__name__}"
        )
    name = os.fspath(model)
    if (name.endswith(".py") or ".py:" in name) and not is_factory(name):
        raise UserError(_without_factory(name))
    return name


def is_factory(model: str) -> bool:
    """Whether MODEL is ``file.py:factory``."""
    file, colon, factory = model.rpartition(":")
    return bool(colon) and file.endswith(".py") and factory.isidentifier()


def is_file(model: str) -> bool:
    """Whether MODEL is (or was meant as) an ONNX file."""
    return not is_factory(model) and (model.endswith(".onnx") or "/" in model or Path(model).is_file())


def absolute(model: str) -> str:
    """``file.py:factory`` with the file's whole path.

    :raises UserError: there is no such file.
    """
    file, _, factory = model.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UserError(f"no file {path}")
    return f"{path.absolute()}:{factory}"


def _without_factory(model: str) -> str:
    """What to say of a Python file without the function that makes the network."""
    file = Path(model.partition(".py")[0] + ".py")
    if not file.is_file():
        return f"no file {file}"
    names = _functions(file)
    offered = f"; it has {', '.join(names[:_OFFERED])}" if names else ""
    return f"{model} names no function: write {file}:FUNCTION, a function that returns an nn.Module{offered}"


def _functions(file: Path) -> list[str]:
    """The functions and classes of a Python file that are not private, nothing of it run."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return []
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node.name for node in body if isinstance(node, kinds) and not node.name.startswith("_")]
