"""Builds the emulated GPU's libraries, and the kernels of a CUDA source for the CPU: once, into the user's cache.

``python -m emulated_gpu.build`` builds the libraries now.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path

from emulated_gpu.translate import translate
from mobilenet_tvm.base.compilers.zig import run_zig
from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import RUNNER_SOURCES, cache_dir, make_once, sha256_file, sha256_tree

CUDART = "libcudart.so.13"
DRIVER = "libcuda.so.1"
KERNELS = "kernels.so"
_FOLDER = Path(__file__).parent
# The runner's SHA-256, by which device code is known.
_RUNNERS = tuple(RUNNER_SOURCES / name for name in ("package/sha256.cc", "package/sha256.h", "error.h"))
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

    :raises SystemFailure: they do not build.
    """
    return make_once(cache_dir() / "emulated_gpu" / f"runtime-{_runtime_key()[:16]}", _build_libraries)


def compile_kernels(source: str, compute_capability: int) -> Path:
    """The shared object of a CUDA source's kernels for the CPU, compiled first if there is none.

    :param compute_capability: ten times that of the device: ``__CUDA_ARCH__`` is ten times this.
    :raises SystemFailure: the source uses what the emulated GPU does not know, which the message names.
    """
    text = f"{_runtime_key()} {_translator_key()} {compute_capability}\n{source}"
    folder = cache_dir() / "emulated_gpu" / f"kernels-{hashlib.sha256(text.encode()).hexdigest()}"
    return make_once(folder, lambda built: _build_kernels(source, compute_capability, built)) / KERNELS


@cache
def _runtime_key() -> str:
    ours = sha256_tree(_FOLDER, ("*.cc", "*.h", "*.map", "build.py"))
    runners = (sha256_file(path) for path in _RUNNERS)
    return hashlib.sha256(" ".join((version("ziglang"), ours, *runners)).encode()).hexdigest()


@cache
def _translator_key() -> str:
    return "".join(sha256_file(_FOLDER / name) for name in ("translate.py", "ptx.py"))


def _build_libraries(folder: Path) -> None:
    scratch = folder.parent
    sources = [*sorted((_FOLDER / "runtime").rglob("*.cc")), *(path for path in _RUNNERS if path.suffix == ".cc")]
    objects = [scratch / f"{source.stem}.o" for source in sources]
    includes = ("-I", _FOLDER / "runtime", "-I", _FOLDER / "device", "-I", RUNNER_SOURCES)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [
            pool.submit(_zig, "c++", *_COMMON, *includes, "-c", source, "-o", compiled)
            for source, compiled in zip(sources, objects, strict=True)
        ]
        for job in jobs:
            job.result()
    exports = (f"-Wl,-soname,{CUDART}", f"-Wl,--version-script={_FOLDER / 'runtime' / 'exports.map'}")
    _zig("c++", *_TARGET, "-O2", _STRIPPED, "-shared", *exports, *objects, "-ldl", "-o", folder / CUDART)
    # One library under two names: the second is empty and needs the first.
    empty = scratch / "empty.c"
    empty.touch()
    second = (f"-Wl,-soname,{DRIVER}", "-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN")
    _zig("cc", *_TARGET, "-shared", *second, empty, folder / CUDART, "-o", folder / DRIVER)


def _build_kernels(source: str, compute_capability: int, folder: Path) -> None:
    code, compiled = folder.parent / "kernels.cc", folder.parent / "kernels.o"
    try:
        code.write_text(translate(source))
    except ValueError as error:
        raise SystemFailure(f"the emulated GPU cannot read the CUDA source: {error}") from error
    architecture = f"-D__CUDA_ARCH__={compute_capability * 10}"
    _zig("c++", *_COMMON, *_KERNEL_FLAGS, architecture, "-c", code, "-o", compiled)
    libraries = (library_folder() / CUDART, "-lm")
    _zig("c++", *_TARGET, _KERNEL_CPU, "-shared", "-nostdlib++", compiled, *libraries, "-o", folder / KERNELS)


def _zig(*arguments: str | Path) -> None:
    run_zig(*arguments, purpose="compiling for the emulated GPU")


def image(kernels: Path) -> bytes:
    """What stands for a fatbin where a test or a session's own TVM hands compiled kernels to the emulated driver."""
    return b"emulated-gpu\0" + os.fsencode(kernels) + b"\0"


if __name__ == "__main__":
    print(library_folder())
