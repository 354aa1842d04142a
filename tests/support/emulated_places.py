"""Packages in emulators, and boards that are none."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mobilenet_tvm.package.open import Package
from mobilenet_tvm.places.emulated_gpu import EmulatedGpu
from mobilenet_tvm.places.place import place_of
from mobilenet_tvm.places.qemu import Qemu


def silent(event: dict[str, Any]) -> None:
    """Nobody listens."""


def under_qemu(package: Package) -> Qemu:
    """The package as ``--emulate`` runs one for a CPU."""
    place = place_of(package, emulate=True, device=None, on_event=silent)
    assert isinstance(place, Qemu)
    return place


def on_emulated_gpu(package: Package, counters: Path) -> EmulatedGpu:
    """The package as ``--emulate`` runs one for a GPU, its launches counted."""
    place = place_of(package, emulate=True, device=None, on_event=silent)
    assert isinstance(place, EmulatedGpu)
    return place.counting(counters)


@contextmanager
def emulated_board(place: Qemu, tracker: str) -> Iterator[subprocess.Popen[str]]:
    """An emulated board for as long as the block lasts."""
    board = place.serve(tracker, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield board
    finally:
        pull_the_plug(board)
        board.communicate()


def pull_the_plug(board: subprocess.Popen[str]) -> None:
    """End a board in the midst of whatever it does, its sessions included."""
    with suppress(ProcessLookupError):
        os.killpg(board.pid, signal.SIGKILL)
