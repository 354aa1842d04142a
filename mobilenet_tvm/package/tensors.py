"""Tensors as files: those that ``run`` gives a network under its inputs' names, and those that it saves."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mobilenet_tvm.base.compiled import Tensor
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import replacing

if TYPE_CHECKING:
    import numpy as np

Inputs: TypeAlias = "Mapping[str, str | Path | np.ndarray]"
"""By the input's name a ``.npy`` file, or the array itself."""


def parse_inputs(texts: Sequence[str], inputs: Sequence[Tensor]) -> dict[str, Path]:
    """``["NAME=FILE.npy"]`` -> files by name; names may hold ``=`` themselves.

    :raises UserError: a text begins with no input's name, or two with the same.
    """
    files: dict[str, Path] = {}
    for text in texts:
        names = [tensor.name for tensor in inputs if text.startswith(f"{tensor.name}=")]
        if not names:
            raise UserError(f"--input {text!r} is not NAME=FILE.npy; the network takes {described(inputs)}")
        name = max(names, key=len)
        if name in files:
            raise UserError(f"--input {name} is given twice")
        files[name] = Path(text.removeprefix(f"{name}="))
    return files


def described(tensors: Sequence[Tensor]) -> str:
    """``data (float32 1x3x224x224), ...``"""
    return ", ".join(f"{tensor.name} ({_kind(tensor.dtype, tensor.shape)})" for tensor in tensors)


def _kind(dtype: str, shape: Sequence[int]) -> str:
    return f"{dtype} {'x'.join(map(str, shape)) or 'scalar'}"


def write_inputs(path: Path, inputs: Inputs, wanted: Sequence[Tensor]) -> None:
    """Write a ``.npz`` that the runner reads: every input under its name, not compressed.

    :param wanted: the manifest's inputs.
    :raises UserError: one is missing, unknown or unreadable, or of another dtype or shape.
    """
    import numpy as np

    names = [tensor.name for tensor in wanted]
    for name in inputs:
        if name not in names:
            raise UserError(f"the network has no input {name!r}; it takes {described(wanted)}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for tensor in wanted:
            if tensor.name not in inputs:
                raise UserError(f"no --input {tensor.name}=FILE.npy; the network takes {described(wanted)}")
            content = io.BytesIO()
            np.save(content, _read(inputs[tensor.name], tensor), allow_pickle=False)
            archive.writestr(f"{tensor.name}.npy", content.getvalue())


def _read(value: str | Path | np.ndarray, tensor: Tensor) -> np.ndarray:
    import numpy as np

    if isinstance(value, str | Path):
        try:
            array = np.load(value, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{value} is not a .npy file: {str(error).splitlines()[0]}") from error
    else:
        array = np.asarray(value)
    if not isinstance(array, np.ndarray) or (array.dtype.name, array.shape) != (tensor.dtype, tensor.shape):
        kind = _kind(array.dtype.name, array.shape) if isinstance(array, np.ndarray) else "no single array"
        raise UserError(f"input {tensor.name} is {_kind(tensor.dtype, tensor.shape)}; what was given is {kind}")
    little_endian = array.dtype.newbyteorder("<")
    return np.ascontiguousarray(array, dtype=little_endian).reshape(tensor.shape)  # which makes a scalar a vector


def decoded(data: str, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """An output's bytes as the runner tells them."""
    import numpy as np

    return np.frombuffer(base64.b64decode(data), np.dtype(dtype).newbyteorder("<")).reshape(shape)


def save(path: Path, array: np.ndarray) -> None:
    """Write a ``.npy`` file, whole or not at all; its folder is made.

    :raises UserError: it cannot be written.
    """
    import numpy as np

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, array, allow_pickle=False)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
