"""CUDA source -> a fatbin: machine code of one architecture, and PTX that drivers make into code for newer ones."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilenet_tvm.base.compilers.nvcc import find_nvcc
from mobilenet_tvm.base.compilers.zig import zig_program
from mobilenet_tvm.base.errors import SystemFailure, UserError

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

_KERNEL = re.compile(r"Compiling entry function '(\w+)'")
_SPILL = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True)
class KernelResources:
    """What one thread block of a kernel takes.

    :ivar registers: of each thread.
    :ivar shared_bytes: static shared memory; what is asked for at the launch comes on top.
    :ivar spill_bytes: stored and loaded by each thread because registers ran out.
    """

    name: str
    registers: int
    shared_bytes: int
    spill_bytes: int


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


def host_compiler(folder: Path) -> Sequence[str]:
    """Arguments of nvcc's that name it; ``folder`` lasts as long as nvcc runs."""
    if shutil.which("g++") is not None:
        return ()
    return zig_as_host_compiler(folder)


def zig_as_host_compiler(folder: Path) -> Sequence[str]:
    """ziglang's clang under a name by which nvcc takes it for what it is."""
    script = folder / "clang++"
    script.write_text(f'#!/bin/sh\nexec "{zig_program()}" c++ "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return ("-ccbin", str(script), "-allow-unsupported-compiler")


def parse_ptxas(report: str) -> list[KernelResources]:
    """The kernels of a report, in order of name; lines about anything else are passed over."""
    kernels = []
    parts = _KERNEL.split(report)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        spill, registers, shared = _SPILL.search(text), _REGISTERS.search(text), _SHARED.search(text)
        if registers is not None:
            kernels.append(
                KernelResources(
                    name,
                    registers=int(registers[1]),
                    shared_bytes=int(shared[1]) if shared else 0,
                    spill_bytes=int(spill[1]) + int(spill[2]) if spill else 0,
                )
            )
    return sorted(kernels, key=lambda kernel: kernel.name)
