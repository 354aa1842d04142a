"""Hides installed modules from a process, as if they were not installed."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Without:
    """A finder of modules that does not find some; in all else it is the one behind it."""

    def __init__(self, finder: Any, hidden: frozenset[str]) -> None:
        self._finder = finder
        self._hidden = hidden

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._hidden:
            return None
        spec: ModuleSpec | None = self._finder.find_spec(fullname, path, target)
        return spec

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


def hide(names: Collection[str]) -> None:
    """Makes top-level modules that are not imported yet impossible to find in this process.

    An entry of None in ``sys.modules`` would do for ``import``, but SciPy, to name one, takes what is in there for a
    module.
    """
    if names:
        sys.meta_path[:] = [_Without(finder, frozenset(names)) for finder in sys.meta_path]
