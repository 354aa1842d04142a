"""The C++ is formatted (.clang-format). clang-tidy takes a minute and more: CONTRIBUTING has its command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_clang_format() -> None:
    program = Path(sys.executable).with_name("clang-format")
    if not program.exists():
        pytest.skip("clang-format is not installed: pip install clang-format")
    folders = [ROOT / "runner", ROOT / "tests" / "runner"]
    files = [path for folder in folders for suffix in ("cc", "h") for path in folder.rglob(f"*.{suffix}")]
    done = subprocess.run([program, "--dry-run", "-Werror", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
