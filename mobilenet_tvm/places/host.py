"""A package's program as a process of this machine: the host's own CPU, and its GPU where the package is for one."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.base.host_cpu import host_arch, missing_features
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.conditions import Conditions, conditions
from mobilenet_tvm.places.gpu_environment import gpu_environment


@dataclass(frozen=True)
class Local:
    """What the host has in common with the emulators on it."""

    package: Package
    device: ClassVar[None] = None
    reads: ClassVar[frozenset[str]] = frozenset({".png", ".jpg", ".jpeg", ".ppm", ".npy", ".npz"})

    @property
    def command(self) -> list[str]:
        """The words of a command line that starts the package's program here."""
        return self.package.command

    @property
    def environment(self) -> Mapping[str, str] | None:
        """The program's environment; None for ours."""
        return gpu_environment() if self.package.manifest.device_code is not None else None

    def conditions(self) -> Conditions:
        return conditions()

    def start(self, words: Sequence[str]) -> tuple[int, str, str]:
        try:
            command = [*self.command, *words]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        except PermissionError as error:
            message = f"{self.package.shown} may not be run: chmod +x it, on a disk that allows programs"
            raise UserError(message) from error
        except OSError as error:
            raise SystemFailure(f"{self.package.shown}: its runner does not start: {error.strerror}") from error
        return done.returncode, done.stdout, done.stderr


@dataclass(frozen=True)
class Host(Local):
    """This machine itself."""

    where: ClassVar[Literal["host"]] = "host"

    @classmethod
    def of(cls, package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Host | None:
        """:raises UserError: this CPU cannot run the package, or its program is damaged; what is wrong is named."""
        if emulate or device is not None:
            return None
        _require_this_cpu(package)
        package.check_program()
        return cls(package)


PLACE = Host


def _require_this_cpu(package: Package) -> None:
    target = package.manifest.target
    missing = missing_features(target.arch, target.cpu_features)
    if target.arch != host_arch():
        raise UserError(
            f"{package.shown} is for {target.name} ({target.arch}) and this machine is {host_arch()}: "
            "copy it there, name a board with --device, or verify and run it here with --emulate"
        )
    if missing:
        raise UserError(
            f"{package.shown} is for {target.name} and this CPU lacks {', '.join(missing)}: "
            "compile it with --target native"
        )
