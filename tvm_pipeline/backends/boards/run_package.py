"""``mobilenet-run`` on a board: the same arguments, the same answers, over TVM's RPC."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.boards.plain_server import run_module
from tvm_pipeline.backends.boards.session import RUN, BoardSession, connect, is_ours, reason, within

PACKAGE, INPUTS = "package", "inputs"
"""Folders on the board: the package, and the tensors to run it on."""
WAIT_SECONDS = 600.0
SESSION_SECONDS = 900.0


def describe(device: Device) -> Any:
    """What one free board with that key says of itself.

    :raises UserError: there is no such board.
    :raises SystemFailure: it does not answer.
    """
    return connect(device, WAIT_SECONDS, SESSION_SECONDS).board.to_json()


def run_package(device: Device, folder: Path, files: Sequence[str], words: Sequence[str], emit: Emit) -> dict[str, Any]:
    """Runs ``mobilenet-run PACKAGE WORDS...`` on a free board.

    A board that a server of TVM's own serves gets ``module.so`` alone, and this side does the rest.

    :param files: the package's files, which the board checks as a package's user would.
    :param words: the arguments behind the package; a file of this machine travels with them.
    :returns: ``code``, ``output`` and ``error`` of the program, and ``board``.
    :raises UserError: there is no such board, or its server cannot do what is asked.
    :raises SystemFailure: it broke off the session.
    """
    session = connect(device, WAIT_SECONDS, SESSION_SECONDS)
    emit.progress("uploading", detail=session.board.address)
    what = f"board {device.key} at {session.board.address}"
    run = _run_there if is_ours(session.board) else _run_module
    answer = within(SESSION_SECONDS, lambda: run(session, folder, files, words), what)
    return {**answer, "board": session.board.to_json()}


def _run_there(session: BoardSession, folder: Path, files: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    for name in files:
        session.remote.upload(bytearray((folder / name).read_bytes()), f"{PACKAGE}/{name}")
    request = [PACKAGE, *(_uploaded(session, number, word) for number, word in enumerate(words))]
    answer: dict[str, Any] = json.loads(session.remote.get_function(RUN)(json.dumps(request)))
    return answer


def _uploaded(session: BoardSession, number: int, word: str) -> str:
    """A word of the command line as the board must read it."""
    path = Path(word)
    if not path.is_absolute() or not path.is_file():
        return word
    name = f"{INPUTS}/{number}{path.suffix}"
    session.remote.upload(bytearray(path.read_bytes()), name)
    return name


def _run_module(session: BoardSession, folder: Path, _files: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    try:
        return {"code": 0, "output": json.dumps(run_module(session.remote, folder, words)), "error": ""}
    except UserError:
        raise
    except Exception as error:
        raise SystemFailure(reason(error), str(error)) from error
