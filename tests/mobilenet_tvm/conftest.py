"""What the front door's tests share: a package of a small network, the command line in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from mobilenet_tvm.cli.main import main
from mobilenet_tvm.places import qemu as emulator
from mobilenet_tvm.verbs.compile import compile


def _compiled_once(shared_folder: Path, tiny_onnx: Path, target: str) -> Path:
    folder = shared_folder / f"tiny-package-{target}"
    with FileLock(shared_folder / f"tiny-package-{target}.lock"):
        if not folder.exists():
            compile(str(tiny_onnx), target, folder, on_event=lambda event: None)
    return folder


@pytest.fixture(scope="session")
def _compiled(shared_folder: Path, tiny_onnx: Path) -> Path:
    return _compiled_once(shared_folder, tiny_onnx, "x86-64-v3")


@pytest.fixture(scope="session")
def _compiled_for_a_board(shared_folder: Path, tiny_onnx: Path) -> Path:
    return _compiled_once(shared_folder, tiny_onnx, "rpi4")


@pytest.fixture(scope="session")
def _compiled_for_a_gpu(shared_folder: Path, tiny_onnx: Path) -> Path:
    return _compiled_once(shared_folder, tiny_onnx, "a100")


@pytest.fixture
def gpu_package(_compiled_for_a_gpu: Path, tmp_path: Path) -> Path:
    """The tiny network for an A100, a copy for each test."""
    return Path(shutil.copytree(_compiled_for_a_gpu, tmp_path / "gpu-package"))


@pytest.fixture
def tiny_package(_compiled: Path, tmp_path: Path) -> Path:
    """A real package of the tiny network, a copy for each test."""
    return Path(shutil.copytree(_compiled, tmp_path / "tiny-package"))


@pytest.fixture
def board_package(_compiled_for_a_board: Path, tmp_path: Path) -> Path:
    """The same network for a Raspberry Pi 4, a copy for each test."""
    return Path(shutil.copytree(_compiled_for_a_board, tmp_path / "board-package"))


@pytest.fixture(scope="session")
def needs_board_emulator() -> None:
    """What runs under QEMU is left out where it is not installed, and says so."""
    if lacking := emulator.missing("aarch64"):
        pytest.skip(f"{lacking[0][0]} is not installed (Debian: {lacking[0][1]})")


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    def error(self) -> str:
        """The message of a user's mistake: one line, exit code 2, nothing on standard output."""
        assert self.code == 2, self
        assert self.out == "", self
        lines = [line for line in self.err.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("mobilenet-tvm: "), self.err
        return lines[0].removeprefix("mobilenet-tvm: ")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """The command line, in this process: ``command("verify", package)``."""

    def run(*arguments: Any) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run
