"""Versions of what is installed, without importing any of it."""

from __future__ import annotations

import importlib.metadata
import mmap
import re

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.paths import package_folder


def installed(distribution: str) -> str | None:
    """An installed Python package's version; None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def llvm_version() -> str | None:
    """The LLVM inside TVM's compiler library, where it stands as a string; None without TVM."""
    try:
        path = package_folder("tvm") / "lib" / "libtvm_compiler.so"
    except SystemFailure:
        return None
    if not path.is_file():
        return None
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        version = re.search(rb"LLVM(?: version)? ?(\d+\.\d+\.\d+)", data)
        return version[1].decode() if version else None
