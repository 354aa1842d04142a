"""Packages for another CPU, run here by QEMU's user mode as that CPU's model. Its times say nothing about a board."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.base.host_cpu import host_arch
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.host import Local

SYSROOT_VARIABLE = "QEMU_LD_PREFIX"  # QEMU's own
EMULATED_VARIABLE = "MOBILENET_RUN_EMULATED"  # mobilenet-run's: the board that it serves is none
_SYSROOTS = {"aarch64": Path("/usr/aarch64-linux-gnu")}
_LIBRARIES = ("libc.so.6", "libstdc++.so.6", "libgcc_s.so.1")  # what TVM's runtime needs
INSTALL_EMULATOR = "apt install qemu-user"
INSTALL_SYSROOT = "apt install libstdc++6-arm64-cross"


def qemu(arch: str) -> str | None:
    """The program that emulates that architecture; None if it is not installed."""
    return shutil.which(f"qemu-{arch}") or shutil.which(f"qemu-{arch}-static")


def sysroot(arch: str) -> Path | None:
    """The folder with that architecture's C and C++ libraries in ``lib/``; None if there is none, or none is needed."""
    named = os.environ.get(SYSROOT_VARIABLE)
    folder = Path(named) if named else _SYSROOTS.get(arch)
    return folder if folder is not None and folder.is_dir() else None


def missing(arch: str, *, static: bool = False) -> list[tuple[str, str]]:
    """What emulating that architecture still needs: what it is, and the command that brings it.

    :param static: for static programs, which need no libraries.
    """
    lacking = []
    if qemu(arch) is None:
        lacking.append((f"qemu-{arch}", INSTALL_EMULATOR))
    if not static and arch in _SYSROOTS and arch != host_arch() and not os.environ.get(SYSROOT_VARIABLE):
        libraries = [_SYSROOTS[arch] / "lib" / name for name in _LIBRARIES]
        lacking += [(str(path), INSTALL_SYSROOT) for path in libraries if not path.exists()]
    return lacking


def _cpu_model(package: Package) -> str:
    """The CPU model that the package's target is emulated by; older manifests do not say it, their preset does."""
    from targets import available  # no other place needs the presets

    target = package.manifest.target
    preset = available().get(target.name)
    model: str | None = target.get("emulator", preset.emulator if preset is not None else None)
    if model is None:
        raise UserError(f"{package.shown} is for {target.name}, which QEMU does not emulate")
    return model


@dataclass(frozen=True)
class Qemu(Local):
    """QEMU as the package's target.

    :ivar launcher: the words of a command line that start a program in it.
    """

    launcher: tuple[str, ...]
    where: ClassVar[Literal["emulated"]] = "emulated"

    @classmethod
    def of(cls, package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Qemu | None:
        """:raises UserError: QEMU, or the architecture's libraries, are not installed, or QEMU has no such CPU."""
        if not emulate or package.manifest.device_code is not None:
            return None
        arch, model = package.manifest.target.arch, _cpu_model(package)
        if lacking := missing(arch, static=package.program is not None):
            name, mend = lacking[0]
            raise UserError(f"--emulate needs {name}, which is not there: {mend}")
        package.check_program()
        folder = sysroot(arch)
        return cls(package, (str(qemu(arch)), "-cpu", model, *(("-L", str(folder)) if folder is not None else ())))

    @property
    def command(self) -> list[str]:
        return [*self.launcher, *super().command]

    def serve(self, tracker: str, **options: Any) -> subprocess.Popen[str]:
        """Start an emulated board: the package's own ``--serve``, whose key says "emulated".

        :param tracker: ``HOST:PORT``, with ``/KEY`` for another key than the target's name.
        :param options: more of ``subprocess.Popen``'s.
        """
        words = ["--serve", tracker, "--listen", "127.0.0.1:0"]
        environment = {**os.environ, EMULATED_VARIABLE: "1"}
        return subprocess.Popen([*self.command, *words], env=environment, text=True, **options)


PLACE = Qemu
