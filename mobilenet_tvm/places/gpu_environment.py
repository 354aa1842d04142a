"""What programs of a GPU's package find in their environment: CUDA's runtime library where pip has put it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from mobilenet_tvm.base.compilers.nvcc import wheel_folders

_SEARCH_PATH = "LD_LIBRARY_PATH"
CUDART = "libcudart.so.13"


def gpu_environment(own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, with the libraries of NVIDIA's wheels behind all others.

    :param own: variables to add; libraries of theirs come before all others.
    """
    own = own or {}
    folders = [str(folder / "lib") for folder in wheel_folders() if (folder / "lib" / CUDART).is_file()]
    searched = [path for path in (own.get(_SEARCH_PATH), os.environ.get(_SEARCH_PATH), *folders) if path]
    return {**os.environ, **own, **({_SEARCH_PATH: ":".join(searched)} if searched else {})}


def find_cudart() -> str | None:
    """Where CUDA's runtime library is found: its name where the system has it, else the wheel's file; or None.

    A child process tries to load it: in this one it would stand before every other library of its name from then on.
    """
    trial = [sys.executable, "-c", f"import ctypes; ctypes.CDLL({CUDART!r})"]
    if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
        return f"{CUDART} of the system"
    files = [folder / "lib" / CUDART for folder in wheel_folders()]
    return next((str(file) for file in files if file.is_file()), None)
