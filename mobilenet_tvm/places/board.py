"""Packages on boards that a tracker of TVM's RPC knows: ``--device tracker://HOST:PORT/KEY``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warning
from mobilenet_tvm.base.tracker import Device
from mobilenet_tvm.package.open import Board, Package
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


def on_board(package: Package, device: str, on_event: OnEvent) -> Package:
    """The same package, whose programs a free board runs; which one is asked now.

    :raises UserError: nothing answers there, no board has that key, the board is of another architecture, or the
        package is a static program.
    """
    if package.program is not None:
        raise UserError(f"{package.shown} is one program: copy it to the board, or compile without --static")
    named = device_named(device, on_event)
    request = {"verb": "board_describe", "device": str(named)}
    told: dict[str, Any] = run_child(_PIPELINE, request, block=("torch",))["board"]
    target = package.manifest.target
    if told["arch"] not in (None, target["arch"]):
        raise UserError(f"{package.shown} is for {target['name']} ({target['arch']}) and {device} is {told['arch']}")
    return replace(package, board=Board(str(named), bool(told["emulated"]), told))


def run_on_board(package: Package, words: Sequence[str]) -> tuple[int, str, str]:
    """``mobilenet-run PACKAGE WORDS...`` on the package's board: exit code, standard output, errors."""
    assert package.board is not None
    request = {
        "verb": "board_run",
        "device": package.board.device,
        "folder": str(package.folder.absolute()),
        "files": ["manifest.json", *package.manifest.files],
        "words": list(words),
    }
    answer = run_child(_PIPELINE, request, block=("torch",))
    return int(answer["code"]), str(answer["output"]), str(answer["error"])


def conditions_of(package: Package) -> dict[str, Any]:
    """``conditions``, of the board where one runs the package; what its server does not tell is null."""
    found = conditions()
    if package.board is None:
        return found
    told = package.board.told
    return {
        **found,
        "cpu": told["cpu"] or "a board that does not say",
        "arch": told["arch"] or package.manifest.target["arch"],
        "cores": told["cores"],
        "governor": told["governor"],
        "load_average": list(told["load_average"]),
        "busy_cores": None,
        "busy": False,
        "board": told["address"],
    }
