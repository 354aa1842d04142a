"""The C++ unit tests, through ctest."""

from __future__ import annotations

import subprocess
from pathlib import Path


def _ctest(folder: Path) -> None:
    done = subprocess.run(
        ["ctest", "--output-on-failure", "--no-tests=error"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_ctest(test_build: Path) -> None:
    _ctest(test_build)


def test_ctest_on_an_emulated_board(aarch64_test_build: Path) -> None:
    header = (aarch64_test_build / "mobilenet-run").read_bytes()[:20]
    assert header[18:20] == b"\xb7\x00", "an ELF file for aarch64"
    _ctest(aarch64_test_build)


def test_exports_nothing(test_build: Path) -> None:
    """Of the type information that it shares with TVM's libraries above all: see runner/cmake/tvm.cmake."""
    content = (test_build / "mobilenet-run").read_bytes()
    assert b"_ZTIN3tvm3ffi5ErrorE" not in content
