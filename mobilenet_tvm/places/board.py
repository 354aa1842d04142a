"""A board that a tracker of TVM's RPC knows: ``--device tracker://HOST:PORT/KEY``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.base.tracker import Device
from mobilenet_tvm.package.manifest import MANIFEST
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.conditions import conditions

_PIPELINE = "tvm_pipeline"


def device_named(text: str, on_event: OnEvent) -> Device:
    """The boards that ``--device`` names; warns of a tracker that others can reach.

    :raises UserError: it is not written ``tracker://HOST:PORT/KEY``.
    """
    device = Device.parse(text)
    if not device.key:
        raise UserError(f"{text!r} names no board: it is written tracker://HOST:PORT/KEY (mobilenet-tvm devices)")
    warn_of_strangers(device, on_event)
    return device


def warn_of_strangers(device: Device, on_event: OnEvent) -> None:
    """A tracker and its boards run code for whoever reaches them."""
    if not device.is_loopback:
        text = "is not on this machine: whoever reaches it can run any code on its boards; an ssh tunnel guards it"
        warning(on_event, f"the tracker at {device.tracker} {text}")


@dataclass(frozen=True)
class Board:
    """A free board that a tracker knows.

    :ivar device: ``tracker://HOST:PORT/KEY``.
    :ivar description: what it says of itself: ``address``, ``emulated``, and where its server knows it ``cpu``,
        ``arch``, ``cores``, ``governor``, ``load_average``.
    """

    package: Package
    device: str
    description: dict[str, Any]
    reads: ClassVar[frozenset[str]] = frozenset({".npy"})

    @classmethod
    def of(cls, package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Board | None:
        """:raises UserError: nothing answers there, no board has that key, the board is of another architecture, or
        the package is damaged or a static program.
        """
        if device is None:
            return None
        if package.program is not None:
            raise UserError(f"{package.shown} is one program: copy it to the board, or compile without --static")
        package.check_sums()
        named = device_named(device, on_event)
        request = {"verb": "board_describe", "device": str(named)}
        description: dict[str, Any] = run_child(_PIPELINE, request, block=("torch",))["board"]
        arch, target = description["arch"], package.manifest.target
        if arch not in (None, target["arch"]):
            raise UserError(f"{package.shown} is for {target['name']} ({target['arch']}) and {device} is {arch}")
        return cls(package, str(named), description)

    @property
    def where(self) -> Literal["emulated", "device"]:
        """A board may itself be an emulator."""
        return "emulated" if self.description["emulated"] else "device"

    def conditions(self) -> dict[str, Any]:
        """This machine's, but for what the board says; what its server does not tell is null."""
        told = self.description
        return {
            **conditions(),
            "cpu": told["cpu"] or "a board that does not say",
            "arch": told["arch"] or self.package.manifest.target["arch"],
            "cores": told["cores"],
            "governor": told["governor"],
            "load_average": list(told["load_average"]),
            "busy_cores": None,
            "busy": False,
            "board": told["address"],
        }

    def start(self, words: Sequence[str]) -> tuple[int, str, str]:
        request = {
            "verb": "board_run",
            "device": self.device,
            "folder": str(self.package.folder.absolute()),
            "files": [MANIFEST, *self.package.manifest.files],
            "words": list(words),
        }
        answer = run_child(_PIPELINE, request, block=("torch",))
        return int(answer["code"]), str(answer["output"]), str(answer["error"])
