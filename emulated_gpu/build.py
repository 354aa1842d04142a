"""Builds the emulated GPU's libraries, and the kernels of a CUDA source for the CPU: once, into the user's cache.

``python -m emulated_gpu.build`` builds the libraries now.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path

from emulated_gpu.translate import translate
from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import cache_dir, package_folder, replacing

CUDART = "libcudart.so.13"
DRIVER = "libcuda.so.1"
KERNELS = "kernels.so"
_FOLDER = Path(__file__).parent
_RUNNER = Path(__file__).parents[1] / "runner"
_TIMEOUT_S = 600
# As mobilenet-run's, -s too: zig has built its C++ library for them, and would need a minute for any others.
_TARGET = ("-target", "x86_64-linux-gnu.2.28")
_STRIPPED = "-s"
_KERNEL_CPU = "-mcpu=x86_64_v3"
_COMMON = (*_TARGET, "-std=c++17", "-O2", "-g0", "-fPIC", "-fno-sanitize=undefined", "-fvisibility=hidden")
# Every access to memory becomes a call of the runtime's, of at most 16 bytes: so no vectors wider than the source's.
_KERNEL_FLAGS = (
    _KERNEL_CPU,
    *("-fsanitize=thread", "-mllvm", "-tsan-instrument-func-entry-exit=0"),
    *("-mllvm", "-tsan-instrument-read-before-write=1", "-mllvm", "-disable-loop-idiom-all"),
    *("-fno-vectorize", "-fno-slp-vectorize", "-ffp-contract=fast", "-fno-strict-aliasing"),
    *("-Xclang", "-ffloat16-excess-precision=none", "-w"),
    *("-I", str(_FOLDER / "device"), "-I", str(_FOLDER / "device" / "include"), "-include", "emulated_cuda.h"),
)


def library_folder() -> Path:
    """The folder with the emulated ``libcuda.so.1`` and ``libcudart.so.13``, built first if there is none.

    Two processes that ask at once build once.

    :raises SystemFailure: they do not build.
    """
    from filelock import FileLock

    folder = cache_dir() / "emulated_gpu" / f"runtime-{_runtime_key()}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / ".runtime.lock"):
            if not folder.is_dir():
                _build_libraries(folder)
    return folder


@cache
def _runtime_key() -> str:
    files = [*_FOLDER.rglob("*.cc"), *_FOLDER.rglob("*.h"), *_FOLDER.rglob("*.map"), Path(__file__)]
    files += [_RUNNER / "package" / "sha256.cc", _RUNNER / "package" / "sha256.h", _RUNNER / "error.h"]
    digest = hashlib.sha256(version("ziglang").encode())
    for path in sorted(files):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _translator_key() -> str:
    return "".join(hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest() for name in ("translate.py", "ptx.py"))


def _build_libraries(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as scratch:
        built = Path(scratch) / "libraries"
        built.mkdir()
        sources = [*sorted((_FOLDER / "runtime").rglob("*.cc")), _RUNNER / "package" / "sha256.cc"]
        objects = [str(Path(scratch) / f"{source.stem}.o") for source in sources]
        includes = ("-I", str(_FOLDER / "runtime"), "-I", str(_FOLDER / "device"), "-I", str(_RUNNER))
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            jobs = [
                pool.submit(_compile, *_COMMON, *includes, "-c", str(source), "-o", compiled)
                for source, compiled in zip(sources, objects, strict=True)
            ]
            for job in jobs:
                job.result()
        exports = (f"-Wl,-soname,{CUDART}", f"-Wl,--version-script={_FOLDER / 'runtime' / 'exports.map'}")
        _compile(*_TARGET, "-O2", _STRIPPED, "-shared", *exports, *objects, "-ldl", "-o", str(built / CUDART))
        # One library under two names: the second is empty and needs the first.
        empty = Path(scratch) / "empty.c"
        empty.touch()
        _compile(
            *_TARGET, "-shared", f"-Wl,-soname,{DRIVER}", "-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN",
            str(empty), str(built / CUDART), "-o", str(built / DRIVER), language="cc",
        )  # fmt: skip
        _move(built, folder)


def compile_kernels(source: str, compute_capability: int) -> Path:
    """The shared object of a CUDA source's kernels for the CPU, compiled first if there is none.

    :param compute_capability: ten times that of the device: ``__CUDA_ARCH__`` is ten times this.
    :raises SystemFailure: the source uses what the emulated GPU does not know, which the message names.
    """
    text = f"{_runtime_key()} {_translator_key()} {compute_capability}\n{source}"
    folder = cache_dir() / "emulated_gpu" / f"kernels-{hashlib.sha256(text.encode()).hexdigest()}"
    if not folder.is_dir():
        libraries = library_folder()
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as scratch:
            built = Path(scratch) / "kernels"
            built.mkdir()
            code = Path(scratch) / "kernels.cc"
            try:
                code.write_text(translate(source))
            except ValueError as error:
                raise SystemFailure(f"the emulated GPU cannot read the CUDA source: {error}") from error
            compiled = Path(scratch) / "kernels.o"
            architecture = f"-D__CUDA_ARCH__={compute_capability * 10}"
            _compile(*_COMMON, *_KERNEL_FLAGS, architecture, "-c", str(code), "-o", str(compiled))
            _compile(
                *(*_TARGET, _KERNEL_CPU, "-shared", "-nostdlib++", str(compiled), str(libraries / CUDART), "-lm"),
                *("-o", str(built / KERNELS)),
            )
            _move(built, folder)
    return folder / KERNELS


def _move(built: Path, folder: Path) -> None:
    """Puts a finished folder where it belongs; another process may have been faster."""
    try:
        os.rename(built, folder)
    except OSError:
        if not folder.is_dir():
            raise


def _compile(*arguments: str, language: str = "c++") -> None:
    command = [str(package_folder("ziglang") / "zig"), language, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise SystemFailure(f"compiling for the emulated GPU did not end within {_TIMEOUT_S} s") from error
    if done.returncode != 0:
        raise SystemFailure(f"the emulated GPU: {_first_error(done.stderr)}", done.stderr)


def _first_error(output: str) -> str:
    """The compiler's first error, in words that name what it is about."""
    found = re.search(r"^(\S*?)([^/\s:]+):(\d+):\d+: (?:fatal )?error: (.*)$", output, re.MULTILINE)
    if found is None:
        lines = output.strip().splitlines() or ["no output"]
        return lines[0]
    _, file, line, message = found.groups()
    message = re.sub(r"^static assertion failed.*?: ", "", message)
    return f"{file}, line {line}: {message}"


def image(kernels: Path) -> bytes:
    """What stands for a fatbin where a test or a session's own TVM hands compiled kernels to the emulated driver."""
    return b"emulated-gpu\0" + os.fsencode(kernels) + b"\0"


def write_device_file(
    path: Path,
    device: dict[str, int | str],
    modules: dict[str, Path],
    arguments: Sequence[tuple[str, str, int]] = (),
) -> None:
    """Describes the device that is emulated, and which kernels stand for which device code.

    :param device: keys of a preset's ``[gpu]``, and ``name``.
    :param modules: the kernels' shared object by the device code's SHA-256.
    :param arguments: kernel, argument and its bytes; of an argument that is not named all of its allocation counts.
    """
    with replacing(path) as temporary:
        lines = [f"{key} {value}" for key, value in device.items()]
        lines += [f"module {digest} {kernels}" for digest, kernels in modules.items()]
        lines += [f"argument {kernel} {name} {size}" for kernel, name, size in arguments]
        temporary.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    print(library_folder())
