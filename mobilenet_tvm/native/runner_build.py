"""Finds ``mobilenet-run``, the C++ program that runs a package, or builds it once; for static programs as a library.

In this order: the program that came with the installation (``runner/bin/<arch>/``, if it was built from these very
sources), the user's cache, a build with CMake and ziglang's clang into that cache.
``python -m mobilenet_tvm.native.runner_build`` does so and prints the path; ``--in-place`` puts the program into
``runner/bin/``, for a checkout's set-up and for wheels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mobilenet_tvm import __version__
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.host_cpu import host_arch
from mobilenet_tvm.base.paths import RUNNER_SOURCES, cache_dir, make_once, package_folder, sha256_file, sha256_tree
from mobilenet_tvm.native.device_runtime import runtime_libraries
from mobilenet_tvm.native.stb_header import stb_folder

_TOOLCHAINS = RUNNER_SOURCES.parent / "targets" / "toolchains"
_STAMP = "stamp.json"


@dataclass(frozen=True)
class _Form:
    """The program, or the library that static programs are linked from: sources, the libc it is for, what comes out."""

    sources: Path
    libc: str
    product: str
    prefix: str = ""

    def toolchain(self, arch: str) -> Path:
        """:raises UserError: there is none for ``arch``."""
        path = _TOOLCHAINS / f"{arch}-linux-{self.libc}.cmake"
        if not path.is_file():
            known = sorted(p.name.removesuffix("-linux-gnu.cmake") for p in _TOOLCHAINS.glob("*-linux-gnu.cmake"))
            raise UserError(f"mobilenet-run cannot be built for {arch!r}: there are toolchains for {', '.join(known)}")
        return path

    def cached(self, arch: str) -> Path:
        """The folder in the user's cache for what these very sources make."""
        return cache_dir() / "runner" / f"{self.prefix}{arch}-{source_key(arch, self)[:16]}"


_PROGRAM = _Form(RUNNER_SOURCES, "gnu", "mobilenet-run")
_LIBRARY = _Form(RUNNER_SOURCES / "static", "musl", "libmobilenet-run.a", "static-")


def runner_binary(arch: str = "x86_64") -> Path:
    """The ``mobilenet-run`` for ``arch``, built first if there is none for these sources.

    :raises UserError: there is no toolchain for ``arch``.
    :raises SystemFailure: there is no cmake, no TVM runtime for another architecture, or it does not build.
    """
    shipped = _shipped(arch)
    if _is_current(shipped, source_key(arch)):
        return shipped / _PROGRAM.product
    return build(arch, _PROGRAM.cached(arch))


def static_library(arch: str) -> Path:
    """``libmobilenet-run.a``: the program and TVM's runtime, both from their sources, to link a network's kernels to.

    Built once into the user's cache, which takes some minutes; it fails as :func:`runner_binary` does.
    """
    return build(arch, _LIBRARY.cached(arch), _LIBRARY)


def runner_codecs(arch: str = "x86_64") -> tuple[str, ...]:
    """The image formats that the program reads by itself, as ("png", "jpeg", "ppm", "npy").

    Without "png" and "jpeg" (no stb_image.h was to be had) the caller decodes with mobilenet_tvm.model.preprocessing
    and hands over a .npy.
    """
    stamp = json.loads((runner_binary(arch).parent / _STAMP).read_text())
    return tuple(stamp["codecs"])


def run_script(arch: str = "x86_64") -> str:
    """The text of a package's ``run.sh``."""
    return (RUNNER_SOURCES / "run.sh").read_text().replace("@ARCH@", arch)


def source_key(arch: str, form: _Form = _PROGRAM) -> str:
    """A hash over all that the program is made from: sources, build files, toolchain, versions."""
    sources = sha256_tree(RUNNER_SOURCES, ("*.h", "*.cc", "CMakeLists.txt", "*.cmake"))
    toolchain = (sha256_file(path) for path in (form.toolchain(arch), _TOOLCHAINS / "zig.cmake"))
    versions = (version("apache-tvm"), version("apache-tvm-ffi"), __version__)
    return hashlib.sha256(" ".join((sources, *toolchain, *versions)).encode()).hexdigest()


def build(arch: str, destination: Path, form: _Form = _PROGRAM) -> Path:
    """Build the program for ``arch`` into the folder ``destination``; two processes that ask at once build once.

    :returns: the program's path.
    """
    key = source_key(arch, form)
    make_once(
        destination,
        lambda built: _build(arch, key, form, built),
        lambda folder: _is_current(folder, key, form),
    )
    return destination / form.product


def _build(arch: str, key: str, form: _Form, destination: Path) -> None:
    """Build with CMake beside ``destination``, and put there what comes out and a stamp that says what it is."""
    folder = destination.parent / "build"
    _compile(arch, folder, form)
    (folder / form.product).rename(destination / form.product)
    # Written by CMake: a program for another architecture cannot be asked.
    codecs = (folder / "codecs.txt").read_text().strip().split(",")
    stamp = {"key": key, "arch": arch, "codecs": codecs}
    (destination / _STAMP).write_text(json.dumps(stamp, indent=2) + "\n")


def _compile(arch: str, folder: Path, form: _Form) -> None:
    cmake = cmake_program()
    if cmake is None:
        raise SystemFailure(
            "mobilenet-run has to be built once and there is no cmake: install it (Debian: apt install cmake; "
            "PyPI: pip install cmake)"
        )
    _run([cmake, "-S", str(form.sources), "-B", str(folder), *cmake_options(arch, form)])
    _run([cmake, "--build", str(folder), "--target", "mobilenet-run", "--parallel", str(len(os.sched_getaffinity(0)))])


def cmake_options(arch: str, form: _Form = _PROGRAM) -> list[str]:
    """What CMake has to know to build for ``arch`` with this Python's packages."""
    options = {
        "CMAKE_TOOLCHAIN_FILE": form.toolchain(arch),
        "ZIG_PYTHON": sys.executable,
        "TVM_ROOT": package_folder("tvm"),
        "TVM_FFI_ROOT": package_folder("tvm_ffi"),
        "MOBILENET_TVM_VERSION": __version__,
        "STB_IMAGE_DIR": stb_folder() or "",
    }
    if form is _PROGRAM and arch != host_arch():
        options["TVM_LIBRARIES"] = runtime_libraries(arch)[0].resolve().parent
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    return [*generator, *(f"-D{name}={value}" for name, value in options.items())]


def _run(command: list[str]) -> None:
    # Flags for the user's own compilations do not belong into this one, nor into what the cache's key stands for.
    environment = {k: v for k, v in os.environ.items() if k not in {"CXXFLAGS", "LDFLAGS", "CXX", "CPPFLAGS"}}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        output = done.stdout + done.stderr
        lines = [line.strip() for line in output.splitlines() if "error" in line.lower()] or output.splitlines()[-1:]
        raise SystemFailure(f"building mobilenet-run failed: {lines[0] if lines else 'no output'}", detail=output)


def cmake_program() -> str | None:
    """The system's cmake, else PyPI's in an environment that is not on PATH."""
    return shutil.which("cmake") or shutil.which("cmake", path=str(Path(sys.executable).parent))


def _shipped(arch: str) -> Path:
    return RUNNER_SOURCES / "bin" / arch


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
        in_place = given.in_place and not given.static
        destination = _shipped(given.arch) if in_place else form.cached(given.arch)
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
