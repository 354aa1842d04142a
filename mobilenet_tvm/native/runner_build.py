"""Finds ``mobilenet-run``, the C++ program that runs a package, or builds it once; for static programs as a library.

In this order: the program that came with the installation (``runner/bin/<arch>/``, if it was built from these very
sources), the user's cache, a build with CMake and ziglang's clang into that cache.
``python -m mobilenet_tvm.native.runner_build`` does so and prints the path; ``--in-place`` puts the program into
``runner/bin/``, for a checkout's set-up and for wheels.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.native.device_runtime import runtime_libraries
from mobilenet_tvm.native.stb_header import stb_folder
from targets import host_arch

_ROOT = Path(__file__).resolve().parents[2]
_RUNNER = _ROOT / "runner"
_TOOLCHAINS = _ROOT / "targets" / "toolchains"
_STAMP = "stamp.json"


@dataclass(frozen=True)
class _Form:
    """The program, or the library that static programs are linked from: sources, the libc it is for, what comes out."""

    sources: Path
    libc: str
    product: str
    prefix: str = ""


_PROGRAM = _Form(_RUNNER, "gnu", "mobilenet-run")
_LIBRARY = _Form(_RUNNER / "static", "musl", "libmobilenet-run.a", "static-")


def runner_binary(arch: str = "x86_64") -> Path:
    """The ``mobilenet-run`` for ``arch``, built first if there is none for these sources.

    Raises UserError if there is no toolchain for ``arch``, SystemFailure if cmake is missing, TVM's runtime for another
    architecture is not to be had, or the build fails.
    """
    key = source_key(arch)
    for folder in (_shipped(arch), _cached(arch, key)):
        if _is_current(folder, key):
            return folder / _PROGRAM.product
    return build(arch, _cached(arch, key))


def static_library(arch: str) -> Path:
    """``libmobilenet-run.a``: the program and TVM's runtime, both from their sources, to link a network's kernels to.

    Built once into the user's cache, which takes some minutes. Raises what :func:`runner_binary` raises.
    """
    return build(arch, _cached(arch, source_key(arch, _LIBRARY), _LIBRARY), _LIBRARY)


def runner_codecs(arch: str = "x86_64") -> tuple[str, ...]:
    """The image formats that the program reads by itself, as ("png", "jpeg", "ppm", "npy").

    Without "png" and "jpeg" (no stb_image.h was to be had) the caller decodes with mobilenet_tvm.model.preprocessing
    and hands over a .npy.
    """
    stamp = json.loads((runner_binary(arch).parent / _STAMP).read_text())
    return tuple(stamp["codecs"])


def run_script(arch: str = "x86_64") -> str:
    """The text of a package's ``run.sh``."""
    return (_RUNNER / "run.sh").read_text().replace("@ARCH@", arch)


def source_key(arch: str, form: _Form = _PROGRAM) -> str:
    """A hash over all that the program is made from: sources, build files, toolchain, versions."""
    digest = hashlib.sha256()
    files = [
        path
        for pattern in ("*.h", "*.cc", "*/*.h", "*/*.cc", "CMakeLists.txt", "cmake/*.cmake")
        for path in _RUNNER.glob(pattern)
    ]
    if form is _LIBRARY:
        files += [path for path in form.sources.rglob("*") if path.is_file()]
    files += [_toolchain(arch, form), *_TOOLCHAINS.glob("zig.cmake")]
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_ROOT).as_posix()} {len(content)}\n".encode() + content)
    made_by = "".join(f"{version(name)} " for name in ("apache-tvm-ffi", *(["apache-tvm"] if form is _LIBRARY else [])))
    digest.update(f"{made_by}{_own_version()}".encode())
    return digest.hexdigest()


def build(arch: str, destination: Path, form: _Form = _PROGRAM) -> Path:
    """Builds the program for ``arch`` into the folder ``destination``, which appears whole or not at all.

    Two processes that ask at once build once. Returns the program's path.
    """
    from filelock import FileLock

    key = source_key(arch, form)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(destination.parent / f".{form.prefix}{arch}.lock"):
        if not _is_current(destination, key, form):
            with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".build-") as scratch:
                program = _compile(arch, Path(scratch), form)
                _install(program, arch, key, destination)
    return destination / form.product


def _install(program: Path, arch: str, key: str, destination: Path) -> None:
    destination.mkdir(exist_ok=True)
    stamp = {"key": key, "arch": arch, "codecs": _codecs_of_build(program.parent)}
    # The stamp goes first and comes last: what it vouches for is there.
    (destination / _STAMP).unlink(missing_ok=True)
    os.replace(program, destination / program.name)
    temporary = program.parent / _STAMP
    temporary.write_text(json.dumps(stamp, indent=2) + "\n")
    os.replace(temporary, destination / _STAMP)


def _codecs_of_build(folder: Path) -> list[str]:
    """What CMake found, written by it: a program for another architecture cannot be asked."""
    return (folder / "codecs.txt").read_text().strip().split(",")


def _compile(arch: str, scratch: Path, form: _Form) -> Path:
    cmake = shutil.which("cmake") or _cmake_of_python()
    if cmake is None:
        raise SystemFailure(
            "mobilenet-run has to be built once and there is no cmake: install it (Debian: apt install cmake; "
            "PyPI: pip install cmake)"
        )
    folder = scratch / "build"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    configure = [
        cmake, "-S", str(form.sources), "-B", str(folder), *generator,
        f"-DCMAKE_TOOLCHAIN_FILE={_toolchain(arch, form)}",
        f"-DZIG_PYTHON={sys.executable}", f"-DTVM_ROOT={package_folder('tvm')}",
        f"-DTVM_FFI_ROOT={package_folder('tvm_ffi')}", f"-DMOBILENET_TVM_VERSION={_own_version()}",
    ]  # fmt: skip
    if form is _PROGRAM and arch != host_arch():
        configure.append(f"-DTVM_LIBRARIES={runtime_libraries(arch)[0].parent}")
    stb = stb_folder(_cache(), _RUNNER / "cmake" / "stb.cmake")
    if stb is not None:
        configure.append(f"-DSTB_IMAGE_DIR={stb}")
    _run(configure)
    _run([cmake, "--build", str(folder), "--target", "mobilenet-run", "--parallel", str(len(os.sched_getaffinity(0)))])
    return folder / form.product


def _run(command: list[str]) -> None:
    # Flags for the user's own compilations do not belong into this one, nor into what the cache's key stands for.
    environment = {k: v for k, v in os.environ.items() if k not in {"CXXFLAGS", "LDFLAGS", "CXX", "CPPFLAGS"}}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        output = done.stdout + done.stderr
        lines = [line.strip() for line in output.splitlines() if "error" in line.lower()] or output.splitlines()[-1:]
        raise SystemFailure(f"building mobilenet-run failed: {lines[0] if lines else 'no output'}", detail=output)


def _cmake_of_python() -> str | None:
    """cmake from PyPI, in an environment that is not on PATH."""
    candidate = Path(sys.executable).parent / "cmake"
    return str(candidate) if candidate.is_file() else None


def package_folder(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemFailure(f"the Python package {name} is not installed")
    return Path(spec.submodule_search_locations[0])


def _own_version() -> str:
    import mobilenet_tvm

    return str(mobilenet_tvm.__version__)


def _toolchain(arch: str, form: _Form = _PROGRAM) -> Path:
    path = _TOOLCHAINS / f"{arch}-linux-{form.libc}.cmake"
    if not path.is_file():
        known = sorted(p.name.removesuffix("-linux-gnu.cmake") for p in _TOOLCHAINS.glob("*-linux-gnu.cmake"))
        raise UserError(f"mobilenet-run cannot be built for {arch!r}: there are toolchains for {', '.join(known)}")
    return path


def _shipped(arch: str) -> Path:
    return _RUNNER / "bin" / arch


def _cache() -> Path:
    from platformdirs import user_cache_dir

    return Path(os.environ.get("MOBILENET_TVM_CACHE") or user_cache_dir("mobilenet-tvm"))


def _cached(arch: str, key: str, form: _Form = _PROGRAM) -> Path:
    return _cache() / "runner" / f"{form.prefix}{arch}-{key[:16]}"


def _is_current(folder: Path, key: str, form: _Form = _PROGRAM) -> bool:
    try:
        stamp = json.loads((folder / _STAMP).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get("key") == key and (folder / form.product).is_file()


def main(arguments: list[str] | None = None) -> int:
    """``python -m mobilenet_tvm.native.runner_build``."""
    parser = argparse.ArgumentParser(
        prog="python -m mobilenet_tvm.native.runner_build", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--arch", default="x86_64", help="architecture to build for (default: x86_64)")
    parser.add_argument("--in-place", action="store_true", help="build into runner/bin/ instead of the user's cache")
    parser.add_argument("--rebuild", action="store_true", help="build even if there is one (stb_image.h has come, say)")
    parser.add_argument("--static", action="store_true", help="the library that static programs are linked from")
    given = parser.parse_args(arguments)
    try:
        form = _LIBRARY if given.static else _PROGRAM
        cached = _cached(given.arch, source_key(given.arch, form), form)
        destination = _shipped(given.arch) if given.in_place and not given.static else cached
        if given.rebuild:
            (destination / _STAMP).unlink(missing_ok=True)
        wanted = given.in_place or given.rebuild or given.static
        path = build(given.arch, destination, form) if wanted else runner_binary(given.arch)
    except (UserError, SystemFailure) as error:
        print(f"runner_build: {error}", file=sys.stderr)
        detail = getattr(error, "detail", "")
        if detail:
            print(detail, file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
