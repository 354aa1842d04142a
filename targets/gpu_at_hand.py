"""Whether this machine has an NVIDIA GPU's driver, without loading it."""

from __future__ import annotations

import re
from pathlib import Path

_VERSION = Path("/proc/driver/nvidia/version")
_SIGNS = (_VERSION, Path("/dev/nvhost-gpu"), Path("/dev/dxg"))
"""Left by the driver of a PC or server, of a Jetson, and of Windows' subsystem for Linux."""


def has_gpu() -> bool:
    """Whether the kernel knows of a GPU of NVIDIA's."""
    return any(sign.exists() for sign in _SIGNS)


def driver_version() -> str | None:
    """The driver's version, as in ``580.65.06``; None where the kernel does not say it."""
    if not _VERSION.exists():
        return None
    version = re.search(r"\b\d{3,}\.\d+(\.\d+)?\b", _VERSION.read_text())
    return version[0] if version else None
