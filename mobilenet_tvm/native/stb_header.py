"""stb_image.h for the build of ``mobilenet-run``, on a machine that reaches PyPI but has neither libstb-dev nor GitHub.

The source distribution of the PyPI package libstb carries the header. Only a file with the SHA-256 that
runner/cmake/stb.cmake pins is taken, so it does not matter who packed it.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

_SYSTEM = [Path("/usr/include/stb"), Path("/usr/local/include/stb"), Path("/usr/include")]  # as in stb.cmake
_NAME = "stb_image.h"
_PACKAGE = "libstb==0.8.0 --hash=sha256:dc51a22f4eec2f06e09104bc15869e07373ecc83056a2355cacd177f30a657d8"
_TIMEOUT_S = 180


def stb_folder(cache: Path, stb_cmake: Path) -> Path | None:
    """A folder in ``cache`` with the pinned stb_image.h, fetched with pip if need be.

    None where CMake will find the system's, and where pip does not get it: CMake then tries GitHub, and builds without
    PNG and JPEG if that fails too.
    """
    if any((folder / _NAME).is_file() for folder in _SYSTEM):
        return None
    found = re.search(r"set\(stb_sha256 ([0-9a-f]{64})\)", stb_cmake.read_text())
    assert found is not None
    folder = cache / "stb" / found[1][:16]
    if not (folder / _NAME).is_file():
        content = _fetch(found[1])
        if content is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{_NAME}.{os.getpid()}"
        temporary.write_bytes(content)
        os.replace(temporary, folder / _NAME)
    return folder


def _fetch(sha256: str) -> bytes | None:
    """The header out of the source distribution, or None if it is not to be had."""
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-stb-") as scratch:
        requirement = Path(scratch) / "requirement.txt"
        requirement.write_text(_PACKAGE + "\n")
        command = [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
            "--no-binary=:all:", "--require-hashes", "--dest", scratch, "--requirement", str(requirement),
        ]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
            archive = next(Path(scratch).glob("libstb-*.tar.gz"))
            with tarfile.open(archive) as tar:
                for member in tar:
                    if member.isfile() and Path(member.name).name == _NAME:
                        content = tar.extractfile(member)
                        data = content.read() if content else b""
                        return data if hashlib.sha256(data).hexdigest() == sha256 else None
        except (OSError, subprocess.SubprocessError, StopIteration, tarfile.TarError):
            return None
    return None
