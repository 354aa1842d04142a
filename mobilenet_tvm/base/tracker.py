"""A client of the tracker of TVM's RPC, which knows boards by a key and hands out those that are free. No TVM in it.

The protocol: an int32 that both sides say first, then JSON texts, each after an int32 with its length.
"""

import contextlib
import ipaddress
import json
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mobilenet_tvm.base.errors import UserError

SCHEME = "tracker://"
DEFAULT_PORT = 9190
EMULATED = "emulated"
"""What the key of a board that is an emulator contains: its times are no board's."""

_MAGIC = 0x2F271
_REQUEST, _SUMMARY = 4, 6
_ANSWER_SECONDS = 10.0
_URL = re.compile(r"tracker://(?P<host>[^\s/:]+)(?::(?P<port>\d{1,5}))?(?:/(?P<key>[^\s/:]*))?/?")


@dataclass(frozen=True)
class Device:
    """The boards that a tracker knows under a key; an empty key stands for all of them."""

    host: str
    port: int
    key: str

    @staticmethod
    def parse(text: str) -> "Device":
        """``tracker://HOST:PORT/KEY``; port 9190 and the key may be left out.

        :raises UserError: it is something else.
        """
        match = _URL.fullmatch(text)
        if match is None or int(match["port"] or DEFAULT_PORT) > 65535:
            raise UserError(f"{text!r} is no device: it is written tracker://HOST:PORT/KEY")
        return Device(match["host"], int(match["port"] or DEFAULT_PORT), match["key"] or "")

    @property
    def tracker(self) -> str:
        return f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{SCHEME}{self.tracker}/{self.key}".removesuffix("/")

    @property
    def is_loopback(self) -> bool:
        """Whether the tracker is on this machine, where an ssh tunnel may end."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_emulated(self) -> bool:
        return EMULATED in self.key


@dataclass(frozen=True)
class Boards:
    """The boards of one key.

    :ivar free: how many of them wait for a client.
    :ivar pending: how many clients wait for one.
    """

    key: str
    addresses: tuple[str, ...]
    free: int
    pending: int

    @property
    def busy(self) -> int:
        return len(self.addresses) - self.free


class Tracker:
    """One connection to a tracker; every answer is waited for ten seconds at most."""

    def __init__(self, connection: socket.socket, device: Device) -> None:
        self._connection = connection
        self._device = device

    def boards(self) -> list[Boards]:
        """All that have registered and are still connected."""
        known = self._ask([_SUMMARY])
        by_key: dict[str, list[str]] = {}
        for server in known["server_info"]:
            by_key.setdefault(server["key"].removeprefix("server:"), []).append(":".join(map(str, server["addr"])))
        queues = known["queue_info"]

        def boards_of(key: str, addresses: list[str]) -> Boards:
            queue = queues.get(key, {})
            return Boards(key, tuple(sorted(addresses)), queue.get("free", 0), queue.get("pending", 0))

        return [boards_of(key, addresses) for key, addresses in sorted(by_key.items())]

    def request(self, wait_seconds: float) -> tuple[str, int, str]:
        """Host, port and password of a free board with the device's key, which then counts as busy.

        :raises UserError: nobody serves the key, or all its boards stay busy.
        """
        key = self._device.key
        keys = [boards.key for boards in self.boards()]
        if key not in keys:
            others = ", ".join(keys) or "no board at all"
            raise UserError(f"the tracker at {self._device.tracker} has no board {key!r}; it knows {others}")
        try:
            host, port, password = self._ask([_REQUEST, key, "", 1], wait_seconds)
        except TimeoutError as error:
            raise UserError(f"all boards of {self._device} are busy: try again later") from error
        return host, int(port), password

    def _ask(self, question: list[Any], wait_seconds: float = _ANSWER_SECONDS) -> Any:
        text = json.dumps(question).encode()
        self._connection.settimeout(wait_seconds)
        self._connection.sendall(struct.pack("<i", len(text)) + text)
        (size,) = struct.unpack("<i", _receive(self._connection, 4))
        code, answer = json.loads(_receive(self._connection, size))
        if code != 0:
            raise UserError(f"the tracker at {self._device.tracker} refuses")
        return answer


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("it closed the connection")
        data += part
    return data


@contextlib.contextmanager
def tracker_of(device: Device) -> Iterator[Tracker]:
    """A connection to the device's tracker.

    :raises UserError: nothing answers there, or something that is no tracker.
    """
    try:
        with socket.create_connection((device.host, device.port), _ANSWER_SECONDS) as connection:
            connection.sendall(struct.pack("<i", _MAGIC))
            (answer,) = struct.unpack("<i", _receive(connection, 4))
            if answer != _MAGIC:
                raise UserError(f"what answers at {device.tracker} is no tracker of TVM's RPC")
            yield Tracker(connection, device)
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UserError(
            f"no tracker answers at {device.tracker} ({reason}): start one with "
            "mobilenet-tvm devices --serve 9190, or open the ssh tunnel to it"
        ) from error
