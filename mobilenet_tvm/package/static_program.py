"""A package as one executable file: the program with a zip archive of the package's other files behind it.

The program is linked from the network's kernels and ``libmobilenet-run.a``; it needs nothing of the system but Linux.
The archive is not compressed, so that the program reads the weights where they lie, and any zip tool lists it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.paths import replacing
from mobilenet_tvm.package.manifest import MANIFEST

PROGRAM = "mobilenet-run"
KERNELS = "kernels.o"
WEIGHTS = "module.bin"
_ELF = b"\x7fELF"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest date: the same package makes the same file


def link_program(folder: Path, library: Path, arch: str) -> None:
    """Make ``mobilenet-run`` in a package's folder out of its kernels, which disappear, and ``libmobilenet-run.a``.

    :raises SystemFailure: the linker fails.
    """
    run_zig(
        "c++", "-target", f"{arch}-linux-musl", "-static", "-s", "-O2",
        "-Wl,--gc-sections", "-o", folder / PROGRAM, folder / KERNELS,
        # All of it: TVM's functions are found by their names when the program runs.
        "-Wl,--whole-archive", library, "-Wl,--no-whole-archive",
        purpose="linking the program",
    )  # fmt: skip
    (folder / KERNELS).unlink()


def is_static_program(path: Path) -> bool:
    """Whether a file is a program for Linux, whole or not."""
    with path.open("rb") as stream:
        return stream.read(len(_ELF)) == _ELF


def has_manifest(path: Path) -> bool:
    """Whether a file is a static program of ours, whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            return is_static_program(path) and MANIFEST in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def pack(folder: Path, path: Path) -> None:
    """Put a package's folder at ``path`` as one executable file."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    with replacing(path, 0o777) as temporary, temporary.open("wb") as stream:
        stream.write((folder / PROGRAM).read_bytes())
        # Offsets in it are from the file's beginning, as the program reads them.
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name in names:
                if name != PROGRAM:
                    member = zipfile.ZipInfo(name, _EPOCH)
                    member.external_attr = 0o644 << 16
                    archive.writestr(member, (folder / name).read_bytes())


def unpack(path: Path, folder: Path) -> None:
    """Unpack a static program into a package's folder.

    :raises UserError: it is cut, or no static program of ours.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if MANIFEST not in archive.namelist():
                raise zipfile.BadZipFile
            for member in members:
                if "/" in member.filename or member.filename.startswith("."):
                    raise UserError(f"{path} is no program of ours: it holds {member.filename}")
                (folder / member.filename).write_bytes(archive.read(member))
            end = min((member.header_offset for member in members), default=0)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(
            f"{path} is not a static program of mobilenet-tvm, or it is cut or damaged: copy it again"
        ) from error
    with path.open("rb") as stream:
        (folder / PROGRAM).write_bytes(stream.read(end))
    (folder / PROGRAM).chmod(0o755)
