"""A compiler developer's window: the module after each phase of a compilation, a file each."""

from pathlib import Path

import tvm

from tvm_pipeline.codegen.build import Generated

IMPORTED, LOWERED, SCHEDULED = "01-imported.py", "02-lowered.py", "03-scheduled.py"
LLVM, CUDA = "04-llvm.ll", "04-cuda.cu"


class Dump:
    """A folder that takes a file per phase, in place of an earlier dump's; where there is none, nothing is written."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for name in (IMPORTED, LOWERED, SCHEDULED, LLVM, CUDA):
                (folder / name).unlink(missing_ok=True)

    def module(self, name: str, module: tvm.IRModule) -> None:
        """The functions of Relax and TIR as a script; of constants, the weights, only their places."""
        if self._folder is not None:
            (self._folder / name).write_text(module.script(), encoding="utf-8")

    def code(self, generated: Generated) -> None:
        """The LLVM IR of a CPU's kernels or of a GPU's host, and a GPU's CUDA source."""
        if self._folder is None:
            return
        modules = [module for module in generated.executable.mod.imports if module.kind == "llvm"]
        text = "\n".join(module.inspect_source("ll") for module in modules)
        (self._folder / LLVM).write_text(text, encoding="utf-8")
        if generated.fatbin is not None:
            (self._folder / CUDA).write_text(generated.fatbin.source, encoding="utf-8")
