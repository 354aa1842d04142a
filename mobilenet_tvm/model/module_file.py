"""A user's ``nn.Module``, passed as MODEL, on its way to the process that has torch: a file of two pickles.

The first is the module search path, for the classes that the second imports; classes of ``__main__`` and of notebooks
travel whole (cloudpickle). torch is the caller's own: a module comes from nowhere else.
"""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

from mobilenet_tvm.base.errors import UserError

FILE = "module.pickle"


def is_module(model: object) -> bool:
    """Whether an object is an ``nn.Module``, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def name_of(model: object) -> str:
    """What a network is called that comes as an object."""
    return type(model).__name__


def write_module(model: object, path: Path) -> None:
    """Write a module for ``frontend.saved_module``.

    :raises UserError: something in it cannot be pickled.
    """
    import cloudpickle

    search_path = [os.path.abspath(entry) for entry in sys.path]
    try:
        with path.open("wb") as stream:
            pickle.dump(search_path, stream)
            cloudpickle.dump(model, stream)
    except Exception as error:  # whatever an object raises that is to be pickled
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"the module {name_of(model)} cannot be sent to the process that exports it: {reason}; pass "
            "'file.py:factory' instead, a function that returns it"
        ) from error
