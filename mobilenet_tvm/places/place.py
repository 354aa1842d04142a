"""Where a package's programs run: here, in an emulator, or on a board."""

from __future__ import annotations

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent
from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.board import on_board
from mobilenet_tvm.places.emulated_gpu import on_emulated_gpu
from mobilenet_tvm.places.qemu import emulated


def place_of(package: Package, *, emulate: bool, device: str | None, on_event: OnEvent) -> Package:
    """The package, set to run where ``--emulate`` or ``--device`` say.

    :raises UserError: both are asked for, there is no emulator for its target, or no such board.
    """
    if emulate and device is not None:
        raise UserError("--emulate runs a package here, --device on a board: one of them")
    if device is not None:
        return on_board(package, device, on_event)
    if not emulate:
        return package
    return on_emulated_gpu(package, on_event) if package.manifest.device_code is not None else emulated(package)
