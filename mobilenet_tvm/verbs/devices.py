"""The boards that a tracker of TVM's RPC knows."""

from __future__ import annotations

from typing import Any

from mobilenet_tvm.board import warn_of_strangers
from mobilenet_tvm.events import OnEvent, warn_only
from tvm_pipeline.tracker import DEFAULT_PORT, EMULATED, Device, tracker_of

DEFAULT = f"tracker://127.0.0.1:{DEFAULT_PORT}"


def devices(tracker: str = DEFAULT, *, on_event: OnEvent = warn_only) -> dict[str, Any]:
    """The boards of a tracker by key, free and busy.

    :param tracker: ``tracker://HOST:PORT``; with ``/KEY`` those of that key alone.
    :returns: ``schemas/devices.json``.
    :raises UserError: no tracker answers there.
    """
    asked = Device.parse(tracker)
    warn_of_strangers(asked, on_event)
    with tracker_of(asked) as connection:
        known = [boards for boards in connection.boards() if asked.key in ("", boards.key)]
    return {
        "tracker": asked.tracker,
        "devices": [
            {
                "device": str(Device(asked.host, asked.port, boards.key)),
                "key": boards.key,
                "emulated": EMULATED in boards.key,
                "free": boards.free,
                "busy": boards.busy,
                "waiting": boards.pending,
                "addresses": list(boards.addresses),
            }
            for boards in known
        ],
    }
