"""What can be wrong with a device: one line each, exit code 2."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilenet_tvm.base.tracker import Device


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("verb", ["verify", "bench", "profile"])
def test_a_tracker_that_is_not_there(command: Callable[..., Any], tiny_package: Path, verb: str) -> None:
    port = _free_port()
    message = command(verb, tiny_package, "--device", f"tracker://127.0.0.1:{port}/rpi4").error()
    assert message.startswith(f"no tracker answers at 127.0.0.1:{port} (Connection refused)")


def test_devices_without_a_tracker(command: Callable[..., Any]) -> None:
    assert "no tracker answers at" in command("devices", f"tracker://127.0.0.1:{_free_port()}").error()


def test_tune_without_a_tracker(command: Callable[..., Any], tiny_onnx: Path) -> None:
    device = f"tracker://127.0.0.1:{_free_port()}/rpi4"
    assert "no tracker answers at" in command("tune", tiny_onnx, "--target", "rpi4", "--device", device).error()


def test_something_that_is_no_tracker(command: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        message = command("devices", f"tracker://127.0.0.1:{port}").error()
        thread.join()
    assert message == f"what answers at 127.0.0.1:{port} is no tracker of TVM's RPC"


def test_a_key_that_nobody_serves(
    command: Callable[..., Any], native_board: str, tracker: str, tiny_package: Path, tiny_onnx: Path
) -> None:
    assert native_board
    for words in (["verify", tiny_package], ["tune", tiny_onnx, "--target", "rpi4"]):
        message = command(*words, "--device", f"{tracker}/rpi9").error()
        assert "has no board 'rpi9'; it knows " in message
        assert "x86-64-v3" in message


def test_a_board_that_is_gone_though_its_tracker_has_it(
    command: Callable[..., Any], tracker: str, tiny_package: Path
) -> None:
    port = _free_port()
    host, _, tracker_port = tracker.removeprefix("tracker://").partition(":")
    with socket.create_connection((host, int(tracker_port))) as ghost, ghost.makefile("rb") as answers:
        ghost.sendall(struct.pack("<i", 0x2F271))
        assert answers.read(4) == struct.pack("<i", 0x2F271)
        for message in ([5, {"key": "server:ghost", "addr": [None, port]}], [3, "ghost", [port, "ghost:1"], None]):
            text = json.dumps(message).encode()
            ghost.sendall(struct.pack("<i", len(text)) + text)
            assert answers.read(5) == struct.pack("<i", 1) + b"0"
        answer = command("verify", tiny_package, "--device", f"{tracker}/ghost")
    assert answer.code == 1
    (line,) = answer.err.splitlines()
    assert line.startswith(f"mobilenet-tvm: board ghost at 127.0.0.1:{port}")
    assert "127.0.0.1" in line
    assert "fail" in line.lower() or "refused" in line.lower()


def test_a_package_for_another_architecture(
    command: Callable[..., Any], native_board: str, board_package: Path
) -> None:
    message = command("verify", board_package, "--device", native_board).error()
    assert "is for rpi4 (aarch64) and" in message
    assert message.endswith("is x86_64")


def test_a_tune_on_another_architecture(command: Callable[..., Any], native_board: str, tiny_onnx: Path) -> None:
    message = command("tune", tiny_onnx, "--target", "rpi4", "--device", native_board).error()
    assert message.startswith("target rpi4 is aarch64, and the board at 127.0.0.1:")
    assert message.endswith("is x86_64")


@pytest.mark.parametrize("text", ["rpi4", "tracker://", "tracker://host:x/rpi4", "tracker://h:1/a/b", "http://h:1/k"])
def test_what_is_no_device(command: Callable[..., Any], tiny_package: Path, text: str) -> None:
    assert "is written tracker://HOST:PORT/KEY" in command("verify", tiny_package, "--device", text).error()


def test_a_device_without_a_key(command: Callable[..., Any], tiny_package: Path) -> None:
    assert "names no board" in command("verify", tiny_package, "--device", "tracker://127.0.0.1:1").error()


def test_two_places_at_once(command: Callable[..., Any], tiny_package: Path, tiny_onnx: Path) -> None:
    device = "tracker://127.0.0.1:1/rpi4"
    assert "one of them" in command("verify", tiny_package, "--emulate", "--device", device).error()
    words = ["tune", tiny_onnx, "--target", "rpi4", "--measure", "model", "--device", device]
    assert "one of them" in command(*words).error()


def test_a_tracker_that_others_reach_is_warned_of(command: Callable[..., Any]) -> None:
    answer = command("devices", f"tracker://0.0.0.0:{_free_port()}")
    assert "is not on this machine: whoever reaches it can run any code on its boards" in answer.err
    assert [Device.parse(f"tracker://{host}").is_loopback for host in ("localhost", "127.0.0.1", "10.0.0.2", "pi")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_port_that_is_taken(command: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert "Address already in use" in command("devices", "--serve", port).error()
