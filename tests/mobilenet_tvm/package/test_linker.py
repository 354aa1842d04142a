from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.linker import linker
from targets.target import PRESETS

CROSS = "aarch64-linux-gnu-g++"


def test_ziglangs_is_the_default() -> None:
    assert linker(None, "x86_64").startswith("ziglang 0.")


def test_a_compiler_that_is_not_there(command: Callable[..., Any], tiny_onnx: Path, tmp_path: Path) -> None:
    arguments = ["compile", tiny_onnx, "--target", "rpi4", "-o", tmp_path / "p", "--compiler", "no-such-g++"]
    message = command(*arguments).error()
    assert message.startswith("no compiler no-such-g++: install it (Debian: apt install g++-aarch64-linux-gnu), or")
    assert not (tmp_path / "p").exists()


def test_a_compiler_for_another_machine() -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed (Debian: apt install g++)")
    with pytest.raises(UserError, match=r"g\+\+ compiles for x86_64-linux-gnu, and the target is aarch64"):
        linker("g++", "aarch64")


def test_what_is_no_compiler() -> None:
    with pytest.raises(UserError, match="true is no C\\+\\+ compiler"):
        linker("true", "x86_64")


def test_the_systems_compiler_named_by_a_target_file(
    command: Callable[..., Any], tiny_onnx: Path, tmp_path: Path
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed (Debian: apt install g++)")
    target = tmp_path / "mine.toml"
    target.write_text('compiler = "g++"\n' + (PRESETS / "x86-64-v3.toml").read_text())
    assert command("compile", tiny_onnx, "--target", target, "-o", tmp_path / "p").code == 0
    manifest = json.loads((tmp_path / "p" / "manifest.json").read_text())
    assert manifest["versions"]["linker"].startswith("g++ ")
    assert command("verify", tmp_path / "p", "--onnx", tiny_onnx).code == 0


def test_a_cross_compiler(command: Callable[..., Any], tiny_onnx: Path, tmp_path: Path) -> None:
    if shutil.which(CROSS) is None:
        pytest.skip(f"{CROSS} is not installed (Debian: apt install g++-aarch64-linux-gnu)")
    assert command("compile", tiny_onnx, "--target", "rpi4", "-o", tmp_path / "p", "--compiler", CROSS).code == 0
    assert CROSS in json.loads((tmp_path / "p" / "manifest.json").read_text())["versions"]["linker"]
    assert command("verify", tmp_path / "p", "--emulate").code == 0
