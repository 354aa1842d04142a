"""Putting a package where the user wants it: whole or not at all, and over nothing that is not one."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import install_folder, replacing, sha256_file
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.manifest import MANIFEST
from mobilenet_tvm.package.open import ARCHIVE_SUFFIX, is_archive


def check_output(path: Path, *, static: bool = False) -> None:
    """Refuse to write a package over something that is not one, and a static program over a folder or the reverse.

    :raises UserError: something else is there, or the folder above cannot be written to.
    """
    if path.is_symlink() or (path.exists() and not _is_package(path)):
        raise UserError(f"{path} exists and is not a package: name another output, or remove it")
    if static and is_archive(path):
        raise UserError(f"--static writes a program, not an archive: name it {path.name.removesuffix(ARCHIVE_SUFFIX)}")
    if path.exists() and not is_archive(path) and path.is_file() != static:
        raise UserError(f"{path} exists and is a package of another form: name another output, or remove it")
    _check_writable(path, path.absolute().parent)


def check_folder(path: Path) -> None:
    """Refuse a folder of loose files before any is written.

    :raises UserError: it is there and cannot be written to, or it cannot be made.
    """
    _check_writable(path, path.absolute())


def _check_writable(path: Path, folder: Path) -> None:
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"cannot write {path}: {folder} is no folder that you may write to")


def _is_package(path: Path) -> bool:
    if is_archive(path):
        try:
            with tarfile.open(path, "r:gz") as tar:
                return any(PurePosixPath(member.name).name == MANIFEST for member in tar)
        except (tarfile.TarError, EOFError, OSError, zlib.error):
            return False
    if path.is_file():
        return static_program.has_manifest(path)
    return (path / MANIFEST).is_file()


def list_files(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of a package but its manifest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in paths}


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same package makes the same archive, whoever packs it and whenever."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _install_archive(built: Path, path: Path) -> None:
    with (
        replacing(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        tar.add(built, arcname=path.name.removesuffix(ARCHIVE_SUFFIX), filter=_anonymous)


@contextmanager
def new_package(path: Path, *, static: bool = False) -> Iterator[Path]:
    """A folder to build a package in, which becomes ``path`` if the block ends well."""
    check_output(path, static=static)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True) as temporary:
        built = Path(temporary) / path.name.removesuffix(ARCHIVE_SUFFIX)
        built.mkdir()
        yield built
        check_output(path, static=static)
        if static:
            static_program.pack(built, path)
        elif is_archive(path):
            _install_archive(built, path)
        else:
            install_folder(built, path)
