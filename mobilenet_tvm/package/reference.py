"""Seeded inputs and what ONNX Runtime makes of them: the numbers that a package is held to."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.open import REFERENCE, Package
from mobilenet_tvm.package.store import list_files

if TYPE_CHECKING:
    import numpy as np

COUNT = 3


def seeded_inputs(shape: tuple[int, ...], seed: int = 0, count: int = COUNT) -> list[np.ndarray]:
    """``count`` float32 tensors of that shape, standard normal; the same for the same seed."""
    import numpy as np

    return [np.random.default_rng([seed, i]).standard_normal(shape, dtype=np.float32) for i in range(count)]


def onnxruntime_outputs(onnx: Path, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """ONNX Runtime's first output for every input, computed with one thread.

    :raises UserError: ONNX Runtime does not take the model.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return [session.run(None, {name: x})[0] for x in inputs]
    except Exception as error:  # its exceptions share no base but this one
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"ONNX Runtime does not run {onnx}: {reason}") from error


def write_reference(path: Path, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
    """Write ``reference.npz`` (x0, y0, x1, y1, ...; not compressed, so that the runner reads it without zlib)."""
    import numpy as np

    arrays = {f"x{i}": x for i, x in enumerate(inputs)} | {f"y{i}": y for i, y in enumerate(outputs)}
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def read_reference(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The inputs and outputs of a ``reference.npz``."""
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        count = len(arrays.files) // 2
        return [arrays[f"x{i}"] for i in range(count)], [arrays[f"y{i}"] for i in range(count)]


def first_input(package: Package) -> bytes:
    """The first input of the package's reference as the content of a ``.npy`` file: an ``.npz`` is a zip of those.

    :raises UserError: the reference is not what was packed.
    """
    package.check_sums([REFERENCE])
    with zipfile.ZipFile(package.folder / REFERENCE) as arrays:
        return arrays.read("x0.npy")


@contextmanager
def with_reference(package: Package, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> Iterator[Package]:
    """A copy of the package with another reference, for as long as the block lasts.

    :raises UserError: a file of the package is not what was packed.
    """
    package.check_sums()
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        folder = Path(temporary) / "package"
        shutil.copytree(package.folder, folder)
        write_reference(folder / REFERENCE, inputs, outputs)
        manifest = replace(package.manifest, files=list_files(folder))
        manifest.write(folder)
        program = Path(temporary) / "program" if package.program is not None else None
        if program is not None:
            static_program.pack(folder, program)
        yield replace(package, folder=folder, manifest=manifest, program=program)
