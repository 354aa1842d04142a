"""The C++ unit tests, through ctest."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_ctest(test_build: Path) -> None:
    done = subprocess.run(
        ["ctest", "--output-on-failure", "--no-tests=error"],
        cwd=test_build,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_exports_nothing(test_build: Path) -> None:
    """Of the type information that it shares with TVM's libraries above all: see runner/cmake/tvm.cmake."""
    content = (test_build / "mobilenet-run").read_bytes()
    assert b"_ZTIN3tvm3ffi5ErrorE" not in content
