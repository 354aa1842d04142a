"""TVM's runtime libraries for the machine that a package is for.

This machine's architecture: those of the installed wheels. Another: those of the same versions' wheels for that
platform, which pip fetches once into the user's cache; of 98 MB the libraries stay. ``python -m
mobilenet_tvm.native.device_runtime aarch64`` does so and prints the folder, for a build with CMake by hand.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.host_cpu import host_arch
from mobilenet_tvm.base.paths import cache_dir, make_once, package_folder

_TIMEOUT_S = 900


@dataclass(frozen=True)
class _Library:
    distribution: str
    package: str
    name: str

    @property
    def requirement(self) -> str:
        return f"{self.distribution}=={version(self.distribution)}"


_LIBRARIES = (
    _Library("apache-tvm", "tvm", "libtvm_runtime.so"),
    _Library("apache-tvm-ffi", "tvm_ffi", "libtvm_ffi.so"),
)
_CUDA_LIBRARIES = (*_LIBRARIES, _Library("apache-tvm", "tvm", "libtvm_runtime_cuda.so"))


def runtime_libraries(arch: str, wheel_platform: str | None = None, *, cuda: bool = False) -> list[Path]:
    """``libtvm_runtime.so`` and ``libtvm_ffi.so`` for that architecture.

    :param wheel_platform: pip's name of the platform, by default glibc 2.28 on that architecture.
    :param cuda: ``libtvm_runtime_cuda.so`` too.
    :raises SystemFailure: they are neither installed nor in the cache, and pip cannot fetch them.
    """
    libraries = _CUDA_LIBRARIES if cuda else _LIBRARIES
    if arch == host_arch():
        paths = [package_folder(library.package) / "lib" / library.name for library in libraries]
        mend = "install apache-tvm again"
    else:
        folder = _fetched(wheel_platform or f"manylinux_2_28_{arch}", libraries)
        paths = [folder / library.name for library in libraries]
        mend = "mobilenet-tvm cache clear"
    for path in paths:
        if not path.is_file():
            raise SystemFailure(f"{path} is missing: {mend}")
    return paths


def _fetched(platform: str, libraries: Sequence[_Library]) -> Path:
    """The cached folder with that platform's libraries."""
    versions = "-".join(version(library.distribution) for library in _LIBRARIES)
    kind = "-cuda" if len(libraries) > len(_LIBRARIES) else ""
    folder = cache_dir() / "runtime" / f"{platform}-{versions}{kind}"
    return make_once(folder, lambda built: _fetch(platform, libraries, built))


def _fetch(platform: str, libraries: Sequence[_Library], folder: Path) -> None:
    """Put the libraries into ``folder``; their wheels stay beside it."""
    wheels = folder.parent / "wheels"
    _download(platform, wheels)
    for library in libraries:
        (wheel,) = wheels.glob(f"{library.distribution.replace('-', '_')}-[0-9]*.whl")
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"{library.package}/lib/{library.name}") as source,
            (folder / library.name).open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy)
        (folder / library.name).chmod(0o755)


def _download(platform: str, wheels: Path) -> None:
    requirements = [library.requirement for library in _LIBRARIES]
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
        "--only-binary=:all:", "--platform", platform, "--dest", str(wheels), *requirements,
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise _not_fetched(platform, f"no answer in {_TIMEOUT_S} s", "") from error
    if done.returncode != 0:
        errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise _not_fetched(platform, errors[0] if errors else f"exit code {done.returncode}", done.stderr)


def _not_fetched(platform: str, why: str, detail: str) -> SystemFailure:
    names = " and ".join(library.requirement for library in _LIBRARIES)
    return SystemFailure(
        f"TVM's runtime for the device is not in the cache, and pip cannot fetch {names} for {platform} ({why}): "
        "go online once, or name a folder with these wheels in the environment variable PIP_FIND_LINKS",
        detail,
    )


def main(arguments: Sequence[str]) -> int:
    """``python -m mobilenet_tvm.native.device_runtime ARCH``."""
    try:
        print(runtime_libraries(*arguments[:1] or [host_arch()])[0].parent)
    except SystemFailure as error:
        print(f"device_runtime: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
