"""Engines to compare with. Adding one is adding a file here: a module that names its adapter ``ENGINE``."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mobilenet_tvm.base.errors import unknown
from mobilenet_tvm.engines.engine import Engine

__all__ = ["Engine", "available", "find"]


@cache
def available() -> dict[str, type[Engine]]:
    """All adapters by their engine's name, installed or not; none of the engines is imported."""
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    adapters = [module.ENGINE for module in modules if hasattr(module, "ENGINE")]
    return {adapter.name: adapter for adapter in adapters}


def find(name: str) -> type[Engine]:
    """The adapter of that name.

    :raises UserError: there is none; the nearest right name is offered.
    """
    if name not in available():
        raise unknown("engine", name, available())
    return available()[name]
