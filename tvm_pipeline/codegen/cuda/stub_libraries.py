"""Stand-ins for libcuda.so.1 and libcudart.so.13 where the machine has none.

TVM's CUDA runtime can then be loaded, which building modules needs; every call of it that would reach a GPU fails.
They are made of the names that the runtime itself lacks, so another version of it gets stand-ins that fit.
"""

import platform
import re
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.base.zig import run_zig
from tvm_pipeline.codegen.cuda.elf_symbols import undefined_symbols

DRIVER = "libcuda.so.1"
CUDART = "libcudart.so.13"
_NAMES = {DRIVER: re.compile(r"cu[A-Z]\w*"), CUDART: re.compile(r"cuda[A-Z]\w*")}
_STUB_LIBRARY = 34
"""What the driver's own stub answers: CUDA_ERROR_STUB_LIBRARY, cudaErrorStubLibrary."""


def stub_library(name: str, runtime: Path, folder: Path) -> Path:
    """Makes the stand-in for ``DRIVER`` or ``CUDART`` that ``runtime`` (libtvm_runtime_cuda.so) can be loaded with.

    It takes a twentieth of a second. Raises SystemFailure where it cannot be made.
    """
    symbols = [symbol for symbol in undefined_symbols(runtime) if _NAMES[name].fullmatch(symbol)]
    _build(name, symbols, folder)
    return folder / name


def _build(name: str, symbols: Sequence[str], folder: Path) -> None:
    source, stub, versions = (folder / f"{name}.{suffix}" for suffix in ("c", "o", "versions"))
    source.write_text("".join(f"int {symbol}(void) {{ return {_STUB_LIBRARY}; }}\n" for symbol in symbols))
    # The runtime asks for libcudart's symbols by the version that NVIDIA gives them, which is the library's name.
    versions.write_text(f"{name} {{ global: cu*; local: *; }};\n")
    zig_target = f"{platform.machine()}-linux-gnu"
    run_zig("cc", "-target", zig_target, "-O1", "-fPIC", "-c", str(source), "-o", str(stub))
    script = [f"--version-script={versions}"] if name == CUDART else []
    run_zig("ld.lld", "-shared", "-soname", name, *script, "-o", str(folder / name), str(stub))
