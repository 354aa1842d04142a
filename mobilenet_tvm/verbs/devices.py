"""The boards that a tracker of TVM's RPC knows; a tracker, and an emulated board to try it with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mobilenet_tvm.base.child import child_command, child_environment
from mobilenet_tvm.base.document import Document, Whole
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.base.tracker import DEFAULT_PORT, EMULATED, Device, tracker_of
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.places.board import warn_of_strangers
from mobilenet_tvm.places.qemu import Qemu

DEFAULT = f"tracker://127.0.0.1:{DEFAULT_PORT}"


class FoundDevice(Document):
    """The boards of one key.

    :ivar device: what --device takes.
    :ivar emulated: an emulator serves it: its times are no board's.
    :ivar waiting: clients that wait for a free board.
    """

    device: str
    key: str
    emulated: bool
    free: Whole
    busy: Whole
    waiting: Whole
    addresses: tuple[str, ...]


class DevicesFound(Document):
    """What ``devices`` returns.

    :ivar tracker: HOST:PORT.
    """

    tracker: str
    devices: tuple[FoundDevice, ...]


def devices(tracker: str = DEFAULT, *, on_event: OnEvent = warn_only) -> DevicesFound:
    """The boards of a tracker by key, free and busy.

    :param tracker: ``tracker://HOST:PORT``; with ``/KEY`` those of that key alone.
    :returns: ``schemas/devices.json``.
    :raises UserError: no tracker answers there.
    """
    asked = Device.parse(tracker)
    warn_of_strangers(asked, on_event)
    with tracker_of(asked) as connection:
        known = [boards for boards in connection.boards() if asked.key in ("", boards.key)]
    return DevicesFound(
        tracker=asked.tracker,
        devices=tuple(
            FoundDevice(
                device=str(Device(asked.host, asked.port, boards.key)),
                key=boards.key,
                emulated=EMULATED in boards.key,
                free=boards.free,
                busy=boards.busy,
                waiting=boards.pending,
                addresses=boards.addresses,
            )
            for boards in known
        ),
    )


def serve_tracker(address: str, *, on_event: OnEvent = warn_only) -> int:
    """Run a tracker until a signal ends it; it prints where it listens.

    :param address: ``PORT`` for this machine alone, or ``HOST:PORT``, where whoever reaches it may run code on boards.
    :returns: the exit code.
    :raises UserError: it is no address, or not free.
    """
    host, _, port = address.rpartition(":")
    device = Device.parse(f"tracker://{host or '127.0.0.1'}:{port}")
    warn_of_strangers(device, on_event)
    command = [*child_command("tvm_pipeline.backends.boards.serve_tracker"), device.host, str(device.port)]
    done = subprocess.run(command, env=child_environment(("torch",)), stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 2:
        raise UserError(f"no tracker can listen on {device.tracker}: {done.stderr.strip()}")
    return done.returncode


def serve_emulated(package: str | Path, tracker: str = DEFAULT, *, on_event: OnEvent = warn_only) -> int:
    """Offer an emulated board, with the CPU of a package's target, to a tracker until a signal ends it.

    Its key says "emulated": packages can be verified on it, and its times go nowhere.

    :returns: the exit code.
    :raises UserError: the package is damaged, its CPU is not emulated, or QEMU is missing.
    """
    device = Device.parse(tracker)
    warn_of_strangers(device, on_event)
    with open_package(package) as opened:
        place = Qemu.of(opened, emulate=True, device=None, on_event=on_event)
        if place is None:
            raise UserError(f"{package} is for a GPU, and no board with one is emulated")
        with place.serve(f"{device.tracker}/{device.key}".removesuffix("/")) as board:
            return board.wait()
