"""What ``--version`` prints."""

from __future__ import annotations

from mobilenet_tvm import __version__
from mobilenet_tvm.base.logs import tuning_log
from mobilenet_tvm.base.versions import installed, llvm_version
from mobilenet_tvm.package.manifest import SCHEMA_VERSION


def version_lines() -> list[str]:
    """Name and version per line."""
    missing = "not installed"
    return [
        f"mobilenet-tvm {__version__}",
        f"TVM {installed('apache-tvm') or missing}",
        f"tvm_ffi {installed('apache-tvm-ffi') or missing}",
        f"LLVM {llvm_version() or missing}",
        f"manifest schema {SCHEMA_VERSION}",
        f"tuning log schema {tuning_log.SCHEMA}",
    ]
