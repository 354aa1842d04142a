"""The protocol, with real child processes of a small module."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from small_messages import Break, Dance, Echo, Ended, Import, Imported, Kill, Mistake, Said, Wait

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import Event, Progress, Warned
from mobilenet_tvm.base.protocol import spelled

SUPPORT = Path(__file__).parents[2] / "support"
HALF = """
import os, sys, time
from small_messages import Echo, Ended, Import, Imported, Kill, Break, Mistake, Said, Wait
from mobilenet_tvm.base.protocol import serve
from mobilenet_tvm.base.errors import UserError

def echo(request, emit):
    print("noise from Python")
    os.system("echo noise from elsewhere")
    emit.progress("work", 1, 2, "half")
    emit.warning("careful")
    return Said(said=request.text, argv=tuple(sys.argv[1:]))

def mistake(request, emit):
    raise UserError("that is\\nwrong")

def broken(request, emit):
    print("last words", file=sys.stderr)
    raise ValueError("inside")

def killed(request, emit):
    print("last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), 9)

def load(request, emit):
    import importlib
    try:
        importlib.import_module(request.name)
    except ImportError as error:
        return Imported(error=str(error))
    return Imported(error=None)

def wait(request, emit):
    emit.progress("waiting", os.getpid())
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        if not request.ends_with_a_result:
            raise
    return Ended(ended="early")

if __name__ == "__main__":
    serve({Echo: echo, Mistake: mistake, Break: broken, Kill: killed, Import: load, Wait: wait})
"""


@pytest.fixture(autouse=True)
def half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "small_half.py").write_text(HALF)
    folders = [str(tmp_path), str(SUPPORT), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))  # an empty one is the current folder
    yield tmp_path


def test_a_result_and_the_events_before_it() -> None:
    events: list[Event] = []
    result = run_child("small_half", Echo(text="ä\n"), Said, events.append)
    assert result == Said(said="ä\n", argv=())
    assert events == [Progress(stage="work", done=1, total=2, detail="half"), Warned(message="careful")]


def test_a_users_mistake() -> None:
    with pytest.raises(UserError, match=r"^that is wrong$"):
        run_child("small_half", Mistake(), Said)


def test_a_failure_keeps_the_trace_and_what_was_printed() -> None:
    with pytest.raises(SystemFailure, match="ValueError: inside") as caught:
        run_child("small_half", Break(), Said)
    assert "Traceback" in caught.value.detail
    assert "last words" in caught.value.detail


def test_a_child_that_dies() -> None:
    with pytest.raises(SystemFailure, match="signal 9") as caught:
        run_child("small_half", Kill(), Said)
    assert "last words" in caught.value.detail


def test_a_request_that_the_half_does_not_know() -> None:
    with pytest.raises(SystemFailure, match="no such request: Dance"):
        run_child("small_half", Dance(), Said)


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(SystemFailure, match="exit code 1"):
        run_child("no_such_half", Echo(text=""), Said)


def test_blocked_imports() -> None:
    assert run_child("small_half", Import(name="wave"), Imported).error is None
    assert run_child("small_half", Import(name="wave"), Imported, block=("wave",)).error


def test_a_folder_of_the_users_does_not_shadow_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mobilenet_tvm.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(elsewhere)
    assert run_child("small_half", Echo(text=""), Said).said == ""


def _interrupt_soon(event: Event) -> None:
    """Ctrl-C, as a terminal sends it to the main thread."""
    if isinstance(event, Progress):
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_an_interrupt_reaches_the_child_and_its_result_us() -> None:
    assert run_child("small_half", Wait(ends_with_a_result=True), Ended, _interrupt_soon) == Ended(ended="early")


def test_an_interrupted_child_without_a_result() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_child("small_half", Wait(), Ended, _interrupt_soon)


def test_the_child_dies_with_its_parent(half: Path) -> None:
    script = "from mobilenet_tvm.base.child import run_child\nfrom small_messages import Ended, Wait\n"
    script += "run_child('small_half', Wait(), Ended, lambda event: print(event.done, flush=True))"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.02)


def test_only_json_lines_come_back(half: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "small_half"],
        input=spelled(Echo(text="x")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["progress", "warning", "result"]
    assert "noise from Python" in done.stderr
    assert "noise from elsewhere" in done.stderr
