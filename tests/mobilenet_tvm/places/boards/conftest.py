"""A tracker on the loopback, and boards: one that is this machine, and emulated ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from emulated_places import emulated_board, under_qemu

from emulated_gpu.build import library_folder
from mobilenet_tvm.base.child import child_environment
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.verbs.devices import devices

START_SECONDS = 60.0
Board = subprocess.Popen[str]


def await_boards(tracker: str, key: str, count: int) -> None:
    """Returns once so many boards of that key are free."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        free = [one["free"] for one in devices(tracker)["devices"] if one["key"] == key]
        if free and free[0] >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"{count} boards {key} were not free in time: {devices(tracker)}")


@pytest.fixture(scope="session")
def tracker() -> Iterator[str]:
    """``tracker://127.0.0.1:PORT``, started by the command line as a user would."""
    command = [sys.executable, "-m", "mobilenet_tvm.cli.main", "devices", "--serve", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"tracker://{process.stdout.readline().strip()}"
    process.kill()
    process.communicate()


@pytest.fixture
def start_emulated(
    tracker: str, _compiled_for_a_board: Path, needs_board_emulator: None
) -> Iterator[Callable[[int], list[Board]]]:
    """Starts so many emulated Raspberry Pi 4, which ``tracker`` knows as ``rpi4-emulated``."""
    with ExitStack() as stack:

        def start(count: int) -> list[Board]:
            place = under_qemu(stack.enter_context(open_package(_compiled_for_a_board)))
            address = tracker.removeprefix("tracker://")
            boards = [stack.enter_context(emulated_board(place, address)) for _ in range(count)]
            await_boards(tracker, "rpi4-emulated", count)
            return boards

        yield start


@pytest.fixture(scope="session")
def native_board(tracker: str, _compiled: Path) -> Iterator[str]:
    """This machine as a board: what it measures is measured. Returns its device."""
    command = [_compiled / "run.sh", "--serve", tracker, "--listen", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    await_boards(tracker, "x86-64-v3", 1)
    yield f"{tracker}/x86-64-v3"
    process.kill()
    process.wait()


_SERVE = "import tvm_pipeline, runpy; runpy.run_module('tvm.exec.rpc_server', run_name='__main__')"


@contextmanager
def _server(tracker: str, key: str, port: int, environment: dict[str, str]) -> Iterator[str]:
    """TVM's own server, as ``python -m tvm.exec.rpc_server`` starts it. Yields its device."""
    address = tracker.removeprefix("tracker://")
    ports = ["--port", str(port), "--port-end", str(port + 100)]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, "--host", "127.0.0.1", *ports, "--tracker", address, "--key", key],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**child_environment(("torch",)), **environment},
        start_new_session=True,
    )
    await_boards(tracker, key, 1)
    yield f"{tracker}/{key}"
    os.killpg(process.pid, 9)
    process.wait()


@pytest.fixture(scope="session")
def plain_board(tracker: str) -> Iterator[str]:
    with _server(tracker, "plain", 19390, {}) as device:
        yield device


@pytest.fixture(scope="session")
def gpu_board(tracker: str) -> Iterator[str]:
    """A server with an emulated A100."""
    libraries = {"LD_LIBRARY_PATH": str(library_folder())}  # a session's process loads them as it would load NVIDIA's
    with _server(tracker, "a100-emulated", 19490, libraries) as device:
        yield device
