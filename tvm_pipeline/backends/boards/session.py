"""A session with one board, and what the board says of itself."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.tracker import Device, tracker_of

DESCRIBE, RUN = "mobilenet_tvm.board", "mobilenet_tvm.run"
"""Functions that mobilenet-run registers, and TVM's own servers do not."""


T = TypeVar("T")


@dataclass(frozen=True)
class Board:
    """A board as its server describes it; None where the server, which is not ours, says nothing.

    :ivar emulated: its times are an emulator's.
    :ivar gpu: its NVIDIA GPU's name, where kernels for one were asked for.
    """

    address: str
    key: str
    emulated: bool
    program: str = "a server of TVM's RPC"
    arch: str | None = None
    cpu: str | None = None
    features: tuple[str, ...] = ()
    cores: int | None = None
    governor: str | None = None
    load_average: tuple[float, ...] = ()
    gpu: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether mobilenet-run serves it, which can do more than TVM's own servers."""
        return self.program.startswith("mobilenet-run")

    def to_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class BoardSession:
    """``remote`` is TVM's session; it ends, and the board is free, when nobody refers to it any more."""

    board: Board
    remote: Any


def connect(device: Device, wait_seconds: float, session_seconds: float) -> BoardSession:
    """Opens a session with a free board.

    :param wait_seconds: how long to wait for a free one.
    :param session_seconds: after so long the board ends the session.
    :raises UserError: there is no tracker, no board with that key, or none becomes free.
    :raises SystemFailure: the board that the tracker names does not answer.
    """
    from tvm import rpc
    from tvm.runtime import Module  # noqa: F401  # registers the types that come back

    with tracker_of(device) as tracker:
        host, port, password = tracker.request(wait_seconds)
        address = f"{host}:{port}"

        def open_session() -> BoardSession:
            remote = rpc.connect(host, port, password, session_timeout=session_seconds)
            return BoardSession(_describe(remote, address, device), remote)

        return within(30.0, open_session, f"board {device.key} at {address}")


def _describe(remote: Any, address: str, device: Device) -> Board:
    try:
        told = json.loads(remote.get_function(DESCRIBE)())
    except Exception:  # whatever TVM makes of a missing function
        return Board(address, device.key, device.is_emulated)
    return Board(
        address=address,
        key=device.key,
        emulated=bool(told["emulated"]) or device.is_emulated,
        program=told["program"],
        arch=told["arch"],
        cpu=told["cpu"],
        features=tuple(told["features"]),
        cores=told["cores"],
        governor=told["governor"],
        load_average=tuple(told["load_average"]),
    )


def within(seconds: float, action: Callable[[], T], what: str) -> T:
    """What ``action`` returns; TVM's calls wait for ever for a board whose plug was pulled.

    :raises UserError: it raises that.
    :raises SystemFailure: it fails otherwise, or takes longer; then its thread is left behind.
    """
    answer: list[T] = []
    failure: list[Exception] = []

    def act() -> None:
        try:
            answer.append(action())
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(seconds)
    if answer:
        return answer[0]
    if failure and isinstance(failure[0], UserError):
        raise failure[0]
    if failure:
        raise SystemFailure(f"{what}: {reason(failure[0])}") from failure[0]
    raise SystemFailure(f"{what} does not answer")


def reason(error: BaseException) -> str:
    """The line of TVM's error that says what went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any("connection" in line.lower() or "channel" in line.lower() or "Recv" in line for line in lines):
        return "the board broke off the session"
    return lines[-1][:300] if lines else type(error).__name__
