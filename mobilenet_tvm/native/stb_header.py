"""stb_image.h for the build of ``mobilenet-run``, on a machine that reaches PyPI but has neither libstb-dev nor GitHub.

The source distribution of the PyPI package libstb carries the header. Only a file with the SHA-256 that
runner/cmake/stb.cmake pins is taken, so it does not matter who packed it. ``python -m mobilenet_tvm.native.stb_header``
prints what CMake's ``-DSTB_IMAGE_DIR=`` takes, for a build by hand.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from mobilenet_tvm.base.paths import RUNNER_SOURCES, cache_dir, replacing

_CMAKE = RUNNER_SOURCES / "cmake" / "stb.cmake"
_SYSTEM = [Path("/usr/include/stb"), Path("/usr/local/include/stb"), Path("/usr/include")]  # as in stb.cmake
_NAME = "stb_image.h"
_PACKAGE = "libstb==0.8.0 --hash=sha256:dc51a22f4eec2f06e09104bc15869e07373ecc83056a2355cacd177f30a657d8"
_TIMEOUT_S = 180


def stb_folder() -> Path | None:
    """A folder in the user's cache with the pinned stb_image.h, fetched with pip if need be.

    None where CMake will find the system's, and where pip does not get it: CMake then tries GitHub, and builds without
    PNG and JPEG if that fails too.
    """
    if any((folder / _NAME).is_file() for folder in _SYSTEM):
        return None
    pinned = re.search(r"set\(stb_sha256 ([0-9a-f]{64})\)", _CMAKE.read_text())
    assert pinned is not None
    header = cache_dir() / "stb" / pinned[1][:16] / _NAME
    if not header.is_file():
        content = _fetch()
        if content is None or hashlib.sha256(content).hexdigest() != pinned[1]:
            return None
        with replacing(header) as temporary:
            temporary.write_bytes(content)
    return header.parent


def _fetch() -> bytes | None:
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
            with tarfile.open(next(Path(scratch).glob("libstb-*.tar.gz"))) as archive:
                member = next(member for member in archive if Path(member.name).name == _NAME)
                content = archive.extractfile(member)
                return content.read() if content is not None else None
        except (OSError, subprocess.SubprocessError, StopIteration, tarfile.TarError):
            return None


if __name__ == "__main__":
    print(stb_folder() or "")
