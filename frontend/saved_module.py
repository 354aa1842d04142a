"""A user's module that was passed as an object: what ``mobilenet_tvm.model.module_file`` wrote, read back."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from frontend.user_module import UserModule, described, prepared
from mobilenet_tvm.base.errors import UserError


def load(path: Path, name: str, shape: object, batch: int) -> UserModule:
    """The module of a file that this user's own process has just written.

    :param name: its class's name.
    :param shape: what the request asks for; None for the module's own.
    :raises UserError: a class of it cannot be imported here, or the shape is wrong.
    """
    with path.open("rb") as stream:
        search_path = pickle.load(stream)
        sys.path.extend(entry for entry in search_path if entry not in sys.path)
        try:
            module = pickle.load(stream)
        except Exception as error:  # whatever importing and rebuilding somebody's classes raises
            raise UserError(
                f"the module {name} cannot be rebuilt in a process of its own: {described(error)}; pass "
                "'file.py:factory' instead, a function that returns it"
            ) from error
    return prepared(name, module, shape if shape is not None else getattr(module, "input_shape", None), batch)
