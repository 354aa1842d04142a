"""The C++ unit tests, built by the packages' toolchain; as a program it builds those of both architectures."""

from __future__ import annotations

import subprocess
from pathlib import Path

from filelock import FileLock

from mobilenet_tvm.native.runner_build import cmake_options

ROOT = Path(__file__).parents[2]
FOLDERS = {"x86_64": "runner-tests", "aarch64": "runner-tests-aarch64"}


def built_tests(arch: str) -> Path:
    """The folder with the unit tests and preprocess-dump, built from these sources; what is up to date is kept."""
    folder = ROOT / "build" / FOLDERS[arch]
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        commands = [
            ["cmake", "-S", str(ROOT / "runner"), "-B", str(folder), "-DBUILD_TESTING=ON", *cmake_options(arch)],
            ["cmake", "--build", str(folder), "--parallel", "2"],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


if __name__ == "__main__":
    for name in FOLDERS:
        print(built_tests(name))
