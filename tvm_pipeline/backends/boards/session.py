"""A session with one board, and what the board says of itself."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mobilenet_tvm.base.answers import BoardFacts
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.tracker import Device, tracker_of

DESCRIBE, RUN = "mobilenet_tvm.board", "mobilenet_tvm.run"
"""Functions that mobilenet-run registers, and TVM's own servers do not."""


T = TypeVar("T")


@dataclass(frozen=True)
class BoardSession:
    """``remote`` is TVM's session; it ends, and the board is free, when nobody refers to it any more.

    :ivar processor: what runs kernels there: ``cpu`` or ``cuda``.
    """

    board: BoardFacts
    remote: Any
    processor: str = "cpu"


def is_ours(board: BoardFacts) -> bool:
    """Whether mobilenet-run serves it, which can do more than TVM's own servers."""
    return board.program.startswith("mobilenet-run")


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


def _describe(remote: Any, address: str, device: Device) -> BoardFacts:
    try:
        description = json.loads(remote.get_function(DESCRIBE)())
    except Exception:  # whatever TVM makes of a missing function
        return BoardFacts(address=address, key=device.key, emulated=device.is_emulated)
    ours = {"address": address, "key": device.key, "emulated": description["emulated"] or device.is_emulated}
    return BoardFacts.from_json({**description, **ours})


def with_gpu(session: BoardSession, compute_capability: int) -> BoardSession:
    """The session, whose board now says what GPU it has.

    :param compute_capability: that it must have, ten times: 80 is 8.0.
    :raises UserError: it has no GPU that its server reaches, or one of another kind.
    """
    address = session.board.address
    try:
        gpu = session.remote.cuda(0)
        is_there = gpu.exist
        theirs, name = (str(gpu.compute_version), str(gpu.device_name)) if is_there else ("", "")
    except Exception as error:  # whatever TVM makes of a server without CUDA
        raise UserError(f"the server of the board at {address} knows no CUDA") from error
    if not is_there:
        raise UserError(f"the board at {address} has no NVIDIA GPU that its server reaches")
    wanted = f"{compute_capability // 10}.{compute_capability % 10}"
    if theirs != wanted:
        raise UserError(
            f"the board at {address} has a GPU of compute capability {theirs} ({name}), the target is for {wanted}: "
            f"tune for cuda-sm_{theirs.replace('.', '')}"
        )
    return replace(session, board=replace(session.board, gpu=name), processor="cuda")


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
