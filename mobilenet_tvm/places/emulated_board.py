"""A board that is no board: QEMU runs a package's own ``mobilenet-run --serve``, which says "emulated" in its key."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

EMULATED_VARIABLE = "MOBILENET_RUN_EMULATED"  # mobilenet-run's
_RUNNER = Path("bin/mobilenet-run")


def board_command(package: Path, launcher: Sequence[str], tracker: str, port: int = 0) -> list[str]:
    """The command that offers an emulated board to a tracker.

    :param package: an unpacked package: the board has its target's CPU, and its libraries.
    :param launcher: the words that start a program in the emulator.
    :param tracker: ``HOST:PORT``, with ``/KEY`` for another key than the target's name.
    :param port: where clients reach it, on this machine alone; 0: any free port.
    """
    return [*launcher, str(package / _RUNNER), str(package), "--serve", tracker, "--listen", f"127.0.0.1:{port}"]


def board_environment() -> dict[str, str]:
    """Ours, and the word that an emulator runs the program."""
    return {**os.environ, EMULATED_VARIABLE: "1"}


@contextmanager
def emulated_board(package: Path, launcher: Sequence[str], tracker: str) -> Iterator[subprocess.Popen[str]]:
    """An emulated board for as long as the block lasts."""
    board = subprocess.Popen(
        board_command(package, launcher, tracker),
        env=board_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield board
    finally:
        pull_the_plug(board)
        board.communicate()


def pull_the_plug(board: subprocess.Popen[str]) -> None:
    """End a board in the midst of whatever it does, its sessions included."""
    with suppress(ProcessLookupError):
        os.killpg(board.pid, signal.SIGKILL)
