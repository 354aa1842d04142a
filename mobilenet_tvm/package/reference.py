"""``reference.npz``: seeded inputs and what they make, the numbers that a package is held to.

Pair ``i`` has its first input as ``x{i}``, input ``k`` as ``x{i}_{k}``, and its outputs likewise with ``y``: all that
the network has, of any dtype. So a network of one input and one output has x0, y0, x1, y1, ...
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.open import REFERENCE, Package
from mobilenet_tvm.package.store import list_files

if TYPE_CHECKING:
    import numpy as np

COUNT = 3
"""Pairs of a package."""


@dataclass(frozen=True)
class Pair:
    """All inputs of one inference, and all outputs, both in the network's order."""

    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]


def _key(letter: str, pair: int, tensor: int) -> str:
    return f"{letter}{pair}_{tensor}" if tensor else f"{letter}{pair}"


def write_reference(path: Path, pairs: Sequence[Pair]) -> None:
    """Write ``reference.npz`` (not compressed, so that the runner reads it without zlib)."""
    import numpy as np

    arrays = {
        _key(letter, i, k): array
        for i, pair in enumerate(pairs)
        for letter, tensors in (("x", pair.inputs), ("y", pair.outputs))
        for k, array in enumerate(tensors)
    }
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _tensors(arrays: Mapping[str, np.ndarray], letter: str, pair: int) -> Iterator[np.ndarray]:
    tensor = 0
    while (key := _key(letter, pair, tensor)) in arrays:
        yield arrays[key]
        tensor += 1


def read_reference(path: Path) -> list[Pair]:
    """The pairs of a ``reference.npz``."""
    import numpy as np

    pairs: list[Pair] = []
    with np.load(path, allow_pickle=False) as arrays:
        while _key("x", len(pairs), 0) in arrays:
            inputs, outputs = (tuple(_tensors(arrays, letter, len(pairs))) for letter in "xy")
            pairs.append(Pair(inputs, outputs))
    return pairs


def read_first(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The first input and the first output of every pair."""
    pairs = read_reference(path)
    return [pair.inputs[0] for pair in pairs], [pair.outputs[0] for pair in pairs]


def first_input(package: Package) -> bytes:
    """The first input of the package's reference as the content of a ``.npy`` file: an ``.npz`` is a zip of those.

    :raises UserError: the reference is not what was packed.
    """
    package.check_sums([REFERENCE])
    with zipfile.ZipFile(package.folder / REFERENCE) as arrays:
        return arrays.read("x0.npy")


@contextmanager
def with_reference(package: Package, pairs: Sequence[Pair]) -> Iterator[Package]:
    """A copy of the package with another reference, for as long as the block lasts.

    :raises UserError: a file of the package is not what was packed.
    """
    package.check_sums()
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        folder = Path(temporary) / "package"
        shutil.copytree(package.folder, folder)
        write_reference(folder / REFERENCE, pairs)
        manifest = replace(package.manifest, files=list_files(folder))
        manifest.write(folder)
        program = Path(temporary) / "program" if package.program is not None else None
        if program is not None:
            static_program.pack(folder, program)
        yield replace(package, folder=folder, manifest=manifest, program=program)
