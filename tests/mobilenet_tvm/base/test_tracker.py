"""The tracker's client against a tracker that says what the test wants."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.tracker import Device, tracker_of

SUMMARY = {
    "queue_info": {"rpi4": {"free": 1, "pending": 2}, "gone": {"free": 0, "pending": 0}},
    "server_info": [
        {"key": "server:rpi4", "addr": ["127.0.0.1", 9091]},
        {"key": "server:rpi4", "addr": ["127.0.0.1", 9090]},
        {"key": "server:rpi5-emulated", "addr": ["127.0.0.1", 9092]},
    ],
}


@contextmanager
def _tracker(answer: Callable[[list[Any]], Any]) -> Iterator[str]:
    """A tracker for one client; ``answer`` returns None to say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                connection.sendall(stream.read(4))
                while head := stream.read(4):
                    reply = answer(json.loads(stream.read(struct.unpack("<i", head)[0])))
                    if reply is not None:
                        text = json.dumps(reply).encode()
                        connection.sendall(struct.pack("<i", len(text)) + text)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tracker://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_boards_by_key() -> None:
    with _tracker(lambda question: [0, SUMMARY]) as url, tracker_of(Device.parse(url)) as tracker:
        pi4, pi5 = tracker.boards()
    assert (pi4.key, pi4.addresses, pi4.free, pi4.busy, pi4.pending) == (
        "rpi4", ("127.0.0.1:9090", "127.0.0.1:9091"), 1, 1, 2,
    )  # fmt: skip
    assert (pi5.key, pi5.free, pi5.busy) == ("rpi5-emulated", 0, 1)


def test_a_free_board() -> None:
    def answer(question: list[Any]) -> Any:
        return [0, SUMMARY] if question == [6] else [0, ["127.0.0.1", 9090, "rpi4:123"]]

    with _tracker(answer) as url, tracker_of(Device.parse(f"{url}/rpi4")) as tracker:
        assert tracker.request(1.0) == ("127.0.0.1", 9090, "rpi4:123")


def test_all_boards_stay_busy() -> None:
    with (
        _tracker(lambda question: [0, SUMMARY] if question == [6] else None) as url,
        tracker_of(Device.parse(f"{url}/rpi4")) as tracker,
        pytest.raises(UserError, match="are busy"),
    ):
        tracker.request(0.1)


def test_nobody_has_the_key() -> None:
    with (
        _tracker(lambda question: [0, SUMMARY]) as url,
        tracker_of(Device.parse(f"{url}/rpi3")) as tracker,
        pytest.raises(UserError, match="has no board 'rpi3'; it knows rpi4, rpi5-emulated"),
    ):
        tracker.request(1.0)


def test_devices_are_read() -> None:
    device = Device.parse("tracker://pi.local/rpi4")
    assert (device.host, device.port, device.key, str(device)) == (
        "pi.local",
        9190,
        "rpi4",
        "tracker://pi.local:9190/rpi4",
    )
    assert str(Device.parse("tracker://h:1")) == "tracker://h:1"
    assert [Device.parse(f"tracker://h/{key}").is_emulated for key in ("rpi4", "rpi4-emulated")] == [False, True]
