"""Where nvcc is: in NVIDIA's wheels, or in a toolkit of the system's."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mobilenet_tvm.base.errors import UserError

DEFAULT_TOOLKIT = Path("/usr/local/cuda")
"""Where NVIDIA's own installers put a toolkit."""

NVCC_VARIABLE = "MOBILENET_TVM_NVCC"
"""Names the compiler to use, whatever else there is."""

INSTALL = "pip install 'mobilenet-tvm[cuda]'"


@dataclass(frozen=True)
class Nvcc:
    """A compiler that was found.

    :ivar version: as in ``13.0.88``.
    """

    program: Path
    version: str


def wheel_folders() -> list[Path]:
    """The folders like a toolkit's into which NVIDIA's wheels unpack, the newest generation first."""
    spec = importlib.util.find_spec("nvidia")
    roots = spec.submodule_search_locations if spec is not None else None
    return sorted((folder for root in roots or () for folder in Path(root).glob("cu[0-9]*")), reverse=True)


def _candidates() -> list[Path]:
    programs = [folder / "bin" / "nvcc" for folder in wheel_folders()]
    if home := os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH"):
        programs.append(Path(home) / "bin" / "nvcc")
    if on_path := shutil.which("nvcc"):
        programs.append(Path(on_path))
    return [*programs, DEFAULT_TOOLKIT / "bin" / "nvcc"]


@cache
def find_nvcc() -> Nvcc:
    """The compiler that ``MOBILENET_TVM_NVCC`` names, else of the wheels, of ``CUDA_HOME``, or on the search path.

    :raises UserError: there is none that runs, with the command that installs one.
    """
    if named := os.environ.get(NVCC_VARIABLE):
        version = _version(Path(named))
        if version is None:
            raise UserError(f"{NVCC_VARIABLE} names {named}, which is no nvcc: {INSTALL}")
        return Nvcc(Path(named), version)
    for program in _candidates():
        if os.access(program, os.X_OK) and (version := _version(program)) is not None:
            return Nvcc(program, version)
    raise UserError(f"compiling for an NVIDIA GPU needs nvcc, and none was found: {INSTALL}")


def _version(program: Path) -> str | None:
    try:
        finished = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\bV(\d+\.\d+\.\d+)", finished.stdout)
    return version[1] if version and finished.returncode == 0 else None
