"""CUDA source -> a fatbin: machine code of one architecture, and PTX that drivers make into code for newer ones."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.nvcc import find_nvcc
from tvm_pipeline.codegen.cuda.host_compiler import host_compiler
from tvm_pipeline.codegen.cuda.ptxas_report import KernelResources, parse_ptxas

_TIMEOUT_S = 600
# TVM writes half arithmetic with operators; fast mathematics is left out, since it changes results.
_FLAGS = (
    "--fatbin",
    "-O3",
    "-std=c++17",
    "-U__CUDA_NO_HALF_OPERATORS__",
    "-U__CUDA_NO_HALF_CONVERSIONS__",
    "--expt-relaxed-constexpr",
    # TVM hoists common subexpressions and does not use them all, and writes constants in digits of its own.
    "--diag-suppress=177,1046",
    "--ptxas-options=-v",
)


@dataclass(frozen=True)
class Fatbin:
    """Device code of a module.

    :ivar arch: whose machine code it holds, as in ``sm_80``.
    :ivar ptx: the virtual architecture of its PTX, as in ``compute_80``.
    :ivar kernels: what each takes of the machine, in order of name.
    :ivar compiler: what made it, as in ``nvcc 13.0.88``.
    """

    source: str
    code: bytes
    arch: str
    ptx: str
    kernels: tuple[KernelResources, ...]
    compiler: str


def compile_fatbin(source: str, arch: str) -> Fatbin:
    """Compiles CUDA source with nvcc.

    :param arch: as in ``sm_80``.
    :raises UserError: there is no nvcc, or it does not know the architecture.
    :raises SystemFailure: nvcc refuses the source.
    """
    nvcc = find_nvcc()
    virtual = arch.replace("sm_", "compute_")
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-nvcc-") as folder:
        path, output = Path(folder) / "kernels.cu", Path(folder) / "kernels.fatbin"
        path.write_text(source, encoding="utf-8")
        command = [
            *(str(nvcc.program), *_FLAGS, *host_compiler(Path(folder))),
            *("-gencode", f"arch={virtual},code=[{arch},{virtual}]", "-o", output.name, path.name),
        ]
        try:
            finished = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, cwd=folder
            )
        except subprocess.TimeoutExpired as error:
            raise SystemFailure(f"nvcc {nvcc.version} did not end within {_TIMEOUT_S} s") from error
        said = finished.stderr + finished.stdout
        if finished.returncode != 0:
            if "Unsupported gpu architecture" in said or "is not defined for option 'gpu" in said:
                raise UserError(f"nvcc {nvcc.version} ({nvcc.program}) does not know {arch}: another version is needed")
            raise SystemFailure(f"nvcc {nvcc.version} failed: {said.strip().splitlines()[0]}", said)
        return Fatbin(source, output.read_bytes(), arch, virtual, tuple(parse_ptxas(said)), f"nvcc {nvcc.version}")
