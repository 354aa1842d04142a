"""A built network as the parts of a static program: ``kernels.o`` to link, ``module.bin`` to lie behind the program.

TVM would put both into one object file. Apart, the program stays small, and what follows it can be
checked before it is used.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tvm import relax
from tvm.runtime import Module, _ffi_api

from tvm_pipeline.codegen.link import object_of


def export_static(executable: relax.VMExecutable, output: Path, zig_target: str) -> None:
    """Writes the two files into ``output``; the executable was built as a system library."""

    def pack(module: Module, _is_system_lib: bool, _prefix: str, workspace: str) -> str:
        path = Path(workspace) / "module.bin"
        path.write_bytes(_ffi_api.ModulePackImportsToTensor(module).numpy().tobytes())
        return str(path)

    def collect(_: str, files: Sequence[str], **__: Any) -> None:
        kernels, binary = files  # in TVM's order
        shutil.copyfile(object_of(Path(kernels), Path(kernels).parent, zig_target), output / "kernels.o")
        shutil.copyfile(binary, output / "module.bin")

    executable.mod.export_library("", fcompile=collect, fpack_imports=pack)
