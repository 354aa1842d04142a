"""A package: opening one (sums, paths, archive) and putting one where the user wants it, whole or not at all."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.host_cpu import host_arch, missing_features
from mobilenet_tvm.base.paths import install_folder, replacing, sha256_file
from mobilenet_tvm.package import static_program
from mobilenet_tvm.package.manifest import MANIFEST, Manifest, read_manifest

ARCHIVE_SUFFIX = ".tar.gz"
MODULE = "module.so"
REFERENCE = "reference.npz"
RUNNER = "bin/mobilenet-run"
REQUIRED = (MODULE, REFERENCE, RUNNER)
REQUIRED_STATIC = (static_program.PROGRAM, static_program.WEIGHTS, REFERENCE)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Board:
    """A board that a tracker knows, as it describes itself.

    :ivar device: ``tracker://HOST:PORT/KEY``.
    :ivar told: ``cpu``, ``arch``, ``cores``, ``governor``, ``load_average``; None where its server does not say.
    """

    device: str
    emulated: bool
    told: dict[str, Any]


@dataclass(frozen=True)
class Package:
    """An opened package: ``shown`` is what the user called it, ``folder`` where its files lie.

    :ivar launcher: the words of a command line that starts its programs on a CPU that is not this one's: an emulator.
    :ivar environment: variables for its programs: those of an emulated GPU; its libraries come before others.
    :ivar program: the static program that it is; its files are unpacked in ``folder``. None for a folder or archive.
    :ivar board: the board that runs its programs in this machine's place.
    """

    shown: str
    folder: Path
    manifest: Manifest
    launcher: tuple[str, ...] = ()
    program: Path | None = None
    board: Board | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """The words of a command line that starts its runner on it."""
        if self.program is not None:
            return [*self.launcher, str(self.program.absolute())]
        return [*self.launcher, str(self.folder / RUNNER), str(self.folder)]

    @property
    def where(self) -> str:
        """Where its programs run: ``host``, ``device``, or ``emulated``: here, or on a board that is an emulator."""
        if self.board is not None:
            return "emulated" if self.board.emulated else "device"
        return "emulated" if self.launcher or self.environment else "host"

    @property
    def device(self) -> str | None:
        """The board's ``tracker://HOST:PORT/KEY``; None here."""
        return self.board.device if self.board is not None else None

    def require_this_cpu(self) -> None:
        """:raises UserError: this CPU cannot run the package, and nothing else does it; what it lacks is named."""
        target = self.manifest.target
        missing = missing_features(target["arch"], target["cpu_features"])
        if not missing or self.launcher or self.board is not None:
            return
        if target["arch"] != host_arch():
            raise UserError(
                f"{self.shown} is for {target['name']} ({target['arch']}) and this machine is {host_arch()}: "
                "copy it there, name a board with --device, or verify and run it here with --emulate"
            )
        raise UserError(
            f"{self.shown} is for {target['name']} and this CPU lacks {', '.join(missing)}: "
            "compile it with --target native"
        )


def is_archive(path: Path) -> bool:
    """Whether a package of that name is the archive, not the folder."""
    return path.name.endswith(ARCHIVE_SUFFIX)


def _check_files(folder: Path, manifest: Manifest, shown: str, required: tuple[str, ...]) -> None:
    if missing := [name for name in required if name not in manifest.files]:
        raise UserError(f"{shown}: its {MANIFEST} does not list {', '.join(missing)}")
    root = folder.resolve()
    for name, expected in manifest.files.items():
        path = folder / name
        if PurePosixPath(name).is_absolute() or not path.resolve().is_relative_to(root):
            raise UserError(f"{shown}: its {MANIFEST} names {name!r}, which leaves the package")
        if not path.is_file():
            raise UserError(f"{shown}: {name} is missing; copy the package again, or compile it again")
        if sha256_file(path) != expected:
            raise UserError(f"{shown}: {name} is not what was packed (its SHA-256 differs); compile it again")


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
    """Open a package, folder, archive or static program, and check every sum; the last two are unpacked for the block's
    duration.

    :raises UserError: it is missing, is not a package, has an unknown schema, wrong sums, or paths that leave it.
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
    above = path.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UserError(f"cannot write {path}: {above} is no folder that you may write to")


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
