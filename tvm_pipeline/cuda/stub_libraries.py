"""Stand-ins for libcuda.so.1 and libcudart.so.13 where the machine has none.

TVM's CUDA runtime can then be loaded, which building modules needs; every call of it that would reach a GPU fails.
They are made of the names that the runtime itself lacks, so another version of it gets stand-ins that fit.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tvm.paths import cache_dir, replacing, sha256_file
from tvm_pipeline.cuda.elf_symbols import undefined_symbols
from tvm_pipeline.link import run_zig

DRIVER = "libcuda.so.1"
CUDART = "libcudart.so.13"
_NAMES = {DRIVER: re.compile(r"cu[A-Z]\w*"), CUDART: re.compile(r"cuda[A-Z]\w*")}
_STUB_LIBRARY = 34
"""What the driver's own stub answers: CUDA_ERROR_STUB_LIBRARY, cudaErrorStubLibrary."""


def stub_library(name: str, runtime: Path, zig_target: str) -> Path:
    """The stand-in for ``DRIVER`` or ``CUDART`` that ``runtime`` (libtvm_runtime_cuda.so) can be loaded with.

    It is made once and lies in the user's cache. Raises SystemFailure where it cannot be made.
    """
    path = cache_dir() / "cuda_stubs" / sha256_file(runtime)[:16] / name
    if not path.is_file():
        wanted = [symbol for symbol in undefined_symbols(runtime) if _NAMES[name].fullmatch(symbol)]
        with replacing(path, mode=0o755) as temporary:
            _build(name, wanted, zig_target, temporary)
    return path


def _build(name: str, symbols: Sequence[str], zig_target: str, output: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-stub-") as folder:
        source, stub, versions = (Path(folder) / file for file in ("stub.c", "stub.o", "versions"))
        source.write_text("".join(f"int {symbol}(void) {{ return {_STUB_LIBRARY}; }}\n" for symbol in symbols))
        # The runtime asks for libcudart's symbols by the version that NVIDIA gives them, which is the library's name.
        versions.write_text(f"{name} {{ global: cu*; local: *; }};\n")
        run_zig("cc", "-target", zig_target, "-O1", "-fPIC", "-c", str(source), "-o", str(stub))
        script = [f"--version-script={versions}"] if name == CUDART else []
        run_zig("ld.lld", "-shared", "-soname", name, *script, "-o", str(output), str(stub))
