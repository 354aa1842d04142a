"""A package, and opening one: a folder, an archive or a static program; its manifest, its paths, its sums."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.manifest import MANIFEST, Manifest, read_manifest

ARCHIVE_SUFFIX = ".tar.gz"
MODULE = "module.so"
REFERENCE = "reference.npz"
RUNNER = "bin/mobilenet-run"
REQUIRED = (MODULE, REFERENCE, RUNNER)
REQUIRED_STATIC = (static_program.PROGRAM, static_program.WEIGHTS, REFERENCE)
_LOADED_BY_THE_SYSTEM = ("bin/", "lib/", static_program.PROGRAM)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Package:
    """An opened package: ``shown`` is what the user called it, ``folder`` where its files lie.

    Opening one reads its manifest and hashes nothing. Whoever loads a file of it checks its sum before: its program
    checks all of them when it starts, and what that cannot check the front door does (:meth:`check_program`).

    :ivar program: the static program that it is; its files are unpacked in ``folder``. None for a folder or archive.
    """

    shown: str
    folder: Path
    manifest: Manifest
    program: Path | None = None

    @property
    def command(self) -> list[str]:
        """The words of a command line that starts its program on it, on a CPU that it is for."""
        if self.program is not None:
            return [str(self.program.absolute())]
        return [str(self.folder / RUNNER), str(self.folder)]

    def check_sums(self, names: Iterable[str] | None = None) -> None:
        """Hash files of the package, by default all that its manifest lists.

        :raises UserError: one is not what was packed.
        """
        for name in self.manifest.files if names is None else names:
            if sha256_file(self.folder / name) != self.manifest.files[name]:
                raise UserError(f"{self.shown}: {name} is not what was packed (its SHA-256 differs); compile it again")

    def check_program(self) -> None:
        """Hash what runs before the program can check anything: itself, and the libraries that the system loads for it.

        :raises UserError: one of them is not what was packed.
        """
        self.check_sums(name for name in self.manifest.files if name.startswith(_LOADED_BY_THE_SYSTEM))


def is_archive(path: Path) -> bool:
    """Whether a package of that name is the archive, not the folder."""
    return path.name.endswith(ARCHIVE_SUFFIX)


def _check_files(folder: Path, manifest: Manifest, shown: str, required: tuple[str, ...]) -> None:
    if missing := [name for name in required if name not in manifest.files]:
        raise UserError(f"{shown}: its {MANIFEST} does not list {', '.join(missing)}")
    root = folder.resolve()
    for name in manifest.files:
        path = folder / name
        if PurePosixPath(name).is_absolute() or not path.resolve().is_relative_to(root):
            raise UserError(f"{shown}: its {MANIFEST} names {name!r}, which leaves the package")
        if not path.is_file():
            raise UserError(f"{shown}: {name} is missing; copy the package again, or compile it again")


def _read(folder: Path, shown: str, program: Path | None = None) -> Package:
    manifest = read_manifest(folder, shown)
    _check_files(folder, manifest, shown, REQUIRED if program is None else REQUIRED_STATIC)
    return Package(shown, folder, manifest, program=program)


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack into ``folder``; the path of the folder that holds the manifest."""
    try:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream) as tar:
                tar.extractall(folder, filter="data")
            while stream.read(_CHUNK):  # to the sum at the end: a cut there is a cut too
                pass
    except tarfile.FilterError as error:
        raise UserError(f"{archive} is no package of ours: {error}") from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{archive} is not a package: it is no whole {ARCHIVE_SUFFIX} archive ({error})") from error
    tops = list(folder.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else folder


@contextmanager
def open_package(path: str | Path) -> Iterator[Package]:
    """Open a package, folder, archive or static program; the last two are unpacked for the block's duration.

    :raises UserError: it is missing, is not a package, has an unknown schema, lacks files, or has paths that leave it.
    """
    path = Path(path)
    if path.is_dir():
        yield _read(path, str(path))
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as temporary:
            if static_program.is_static_program(path):
                static_program.unpack(path, Path(temporary))
                yield _read(Path(temporary), str(path), program=path)
            else:
                yield _read(_unpack(path, Path(temporary)), str(path))
    else:
        raise UserError(f"no package {path}: it is a folder, its {ARCHIVE_SUFFIX} or a program, that compile wrote")
