"""Running a package on this machine, in an emulator or on a board, with the C++ runner that it carries."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.open import REFERENCE, Package, list_files
from mobilenet_tvm.package.reference import write_reference
from mobilenet_tvm.places.board import run_on_board
from mobilenet_tvm.places.gpu_environment import gpu_environment

if TYPE_CHECKING:
    import numpy as np


EMULATED_GPU_SAYS = "emulated GPU: "


def _start(package: Package, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = gpu_environment(package.environment) if package.manifest.device_code is not None else None
    command = [*package.command, *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except PermissionError as error:
        raise UserError(f"{package.shown} may not be run: chmod +x it, on a disk that allows programs") from error
    except OSError as error:
        raise SystemFailure(f"{package.shown}: its runner does not start: {error.strerror}") from error


def run_package(package: Package, arguments: Sequence[str]) -> dict[str, Any]:
    """Start ``bin/mobilenet-run PACKAGE ... --json`` and return what it prints.

    :raises UserError: this CPU cannot run the package, the runner says that the user made a mistake, or there is no
        such board.
    :raises SystemFailure: the runner fails otherwise, or the board broke off.
    """
    package.require_this_cpu()
    words = [*arguments, "--json"]
    code, output, errors = run_on_board(package, words) if package.board is not None else _run_here(package, words)
    try:
        answer: dict[str, Any] | None = json.loads(output)
    except ValueError:
        answer = None
    if answer is not None and (code == 0 or "self_test" in answer):
        return answer
    lines = errors.strip().splitlines()
    lines = [line for line in lines if line.startswith(EMULATED_GPU_SAYS)] or lines  # what it says, it says first
    message = lines[-1].removeprefix("mobilenet-run: ") if lines else f"mobilenet-run ended with {code}"
    if code == 2:
        raise UserError(message)
    raise SystemFailure(message, errors)


def _run_here(package: Package, words: Sequence[str]) -> tuple[int, str, str]:
    done = _start(package, words)
    return done.returncode, done.stdout, done.stderr


def _decodes(package: Package) -> frozenset[str]:
    """Suffixes of the files that the package's runner reads by itself; to a board tensors travel."""
    if package.board is not None:
        return frozenset({".npy"})
    done = _start(package, ["--version"])
    codecs = done.stdout.rpartition("codecs:")[2]
    suffixes = {"png": (".png",), "jpeg": (".jpg", ".jpeg"), "ppm": (".ppm",), "npy": (".npy",)}
    return frozenset(s for name, those in suffixes.items() if name in codecs for s in those)


@contextmanager
def decoded(package: Package, images: Sequence[Path]) -> Iterator[list[str]]:
    """Files that the package's runner reads in place of ``images``: what it cannot decode itself, Pillow decodes.

    :raises UserError: an image does not decode, or the package does not say how images become its input.
    """
    from mobilenet_tvm.model.preprocessing import preprocess

    package.require_this_cpu()
    known = _decodes(package)
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
        files = []
        for number, image in enumerate(images):
            file = image.absolute()
            if image.suffix.lower() not in known:
                import numpy as np

                if package.manifest.preprocessing is None:
                    raise UserError(f"{package.shown} does not say how images become its input: give it a .npy file")
                file = Path(temporary) / f"{number}.npy"
                np.save(file, preprocess(image, package.manifest.preprocessing))
            files.append(str(file))
        yield files


def self_test(package: Package) -> dict[str, Any]:
    """How far the package is from the reference that it carries."""
    answer: dict[str, Any] = run_package(package, ["--self-test"])["self_test"]
    return answer


@contextmanager
def with_reference(package: Package, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> Iterator[Package]:
    """The same package with another reference, for as long as the block lasts."""
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
