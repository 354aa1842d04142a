"""Whether this machine has an NVIDIA GPU's driver, without loading it."""

from __future__ import annotations

from pathlib import Path

_SIGNS = (Path("/proc/driver/nvidia/version"), Path("/dev/nvhost-gpu"), Path("/dev/dxg"))
"""Left by the driver of a PC or server, of a Jetson, and of Windows' subsystem for Linux."""


def has_gpu() -> bool:
    """Whether the kernel knows of a GPU of NVIDIA's."""
    return any(sign.exists() for sign in _SIGNS)
