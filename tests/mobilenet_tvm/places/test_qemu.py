"""What --emulate needs, and one line for each thing that is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from emulated_places import under_qemu

from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places import qemu as emulator
from mobilenet_tvm.places.runner import self_test
from targets import load


@pytest.mark.usefixtures("needs_board_emulator")
def test_the_boards_own_cpu(board_package: Path) -> None:
    with open_package(board_package) as opened:
        launcher = under_qemu(opened).launcher
        assert launcher[1:3] == ("-cpu", "cortex-a72")
        older = replace(opened.manifest.target, emulator=UNSET)
        assert under_qemu(replace(opened, manifest=replace(opened.manifest, target=older))).launcher == launcher


def test_a_cpu_that_qemu_does_not_have(tiny_package: Path) -> None:
    with open_package(tiny_package) as opened:
        target = replace(opened.manifest.target, name="x86-64-v4", emulator=load("x86-64-v4").emulator)
        with pytest.raises(UserError, match="is for x86-64-v4, which QEMU does not emulate"):
            under_qemu(replace(opened, manifest=replace(opened.manifest, target=target)))


def test_without_qemu(
    command: Callable[..., Any], board_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    message = command("verify", board_package, "--emulate").error()
    assert message == "--emulate needs qemu-aarch64, which is not there: apt install qemu-user"


def test_without_the_architectures_libraries(
    board_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "qemu", lambda arch: "/usr/bin/qemu-aarch64")
    monkeypatch.setattr(emulator, "_SYSROOTS", {"aarch64": tmp_path / "none"})
    monkeypatch.delenv("QEMU_LD_PREFIX", raising=False)
    message = "needs .*/none/lib/libc.so.6, which is not there: apt install libstdc"
    with open_package(board_package) as opened, pytest.raises(UserError, match=message):
        under_qemu(opened)
    monkeypatch.setenv("QEMU_LD_PREFIX", str(tmp_path))
    with open_package(board_package) as opened:
        assert under_qemu(opened).launcher[-2:] == ("-L", str(tmp_path))


@pytest.mark.usefixtures("needs_board_emulator")
def test_a_cpu_feature_that_the_board_lacks(board_package: Path) -> None:
    """A Raspberry Pi 5's package on a Raspberry Pi 4."""
    with open_package(board_package) as opened:
        target = replace(opened.manifest.target, cpu_features=load("rpi5").cpu_features)
        manifest = replace(opened.manifest, target=target)
        manifest.write(opened.folder)
        message = "this CPU lacks atomics, fphp, asimdhp, asimdrdm, lrcpc, dcpop, asimddp"
        with pytest.raises(UserError, match=message):
            self_test(under_qemu(replace(opened, manifest=manifest)))
