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
from typing import Any

import psutil
import pytest

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.errors import SystemFailure, UserError

HALF = """
import os, sys, time
from mobilenet_tvm.base.protocol import serve
from mobilenet_tvm.base.errors import UserError

def echo(request, emit):
    print("noise from Python")
    os.system("echo noise from elsewhere")
    emit.progress("work", 1, 2, "half")
    emit.warning("careful")
    return {"said": request["text"], "argv": sys.argv[1:]}

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
        importlib.import_module(request["name"])
    except ImportError as error:
        return {"error": str(error)}
    return {"error": None}

def wait(request, emit):
    emit({"event": "started", "pid": os.getpid()})
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        if request.get("end") != "with a result":
            raise
    return {"ended": "early"}

if __name__ == "__main__":
    serve({f.__name__: f for f in (echo, mistake, broken, killed, load, wait)})
"""


@pytest.fixture(autouse=True)
def half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "small_half.py").write_text(HALF)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield tmp_path


def test_a_result_and_the_events_before_it() -> None:
    events: list[dict[str, Any]] = []
    result = run_child("small_half", {"verb": "echo", "text": "ä\n"}, events.append)
    assert result == {"said": "ä\n", "argv": []}
    assert [event["event"] for event in events] == ["progress", "warning"]
    assert events[0] == {"event": "progress", "stage": "work", "done": 1, "total": 2, "detail": "half"}


def test_a_users_mistake() -> None:
    with pytest.raises(UserError, match=r"^that is wrong$"):
        run_child("small_half", {"verb": "mistake"})


def test_a_failure_keeps_the_trace_and_what_was_printed() -> None:
    with pytest.raises(SystemFailure, match="ValueError: inside") as caught:
        run_child("small_half", {"verb": "broken"})
    assert "Traceback" in caught.value.detail
    assert "last words" in caught.value.detail


def test_a_child_that_dies() -> None:
    with pytest.raises(SystemFailure, match="signal 9") as caught:
        run_child("small_half", {"verb": "killed"})
    assert "last words" in caught.value.detail


def test_a_request_that_the_half_does_not_know() -> None:
    with pytest.raises(SystemFailure, match="no such request: dance"):
        run_child("small_half", {"verb": "dance"})


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(SystemFailure, match="exit code 1"):
        run_child("no_such_half", {"verb": "echo"})


def test_blocked_imports() -> None:
    assert run_child("small_half", {"verb": "load", "name": "wave"})["error"] is None
    assert run_child("small_half", {"verb": "load", "name": "wave"}, block=("wave",))["error"]


def test_a_folder_of_the_users_does_not_shadow_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mobilenet_tvm.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(elsewhere)
    assert run_child("small_half", {"verb": "echo", "text": ""})["said"] == ""


def _interrupt_soon(event: dict[str, Any]) -> None:
    """Ctrl-C, as a terminal sends it to the main thread."""
    if event["event"] == "started":
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_an_interrupt_reaches_the_child_and_its_result_us() -> None:
    assert run_child("small_half", {"verb": "wait", "end": "with a result"}, _interrupt_soon) == {"ended": "early"}


def test_an_interrupted_child_without_a_result() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_child("small_half", {"verb": "wait"}, _interrupt_soon)


def test_the_child_dies_with_its_parent(half: Path) -> None:
    script = "from mobilenet_tvm.base.child import run_child\n"
    script += "run_child('small_half', {'verb': 'wait'}, lambda event: print(event['pid'], flush=True))"
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
        input=json.dumps({"verb": "echo", "text": "x"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["progress", "warning", "result"]
    assert "noise from Python" in done.stderr
    assert "noise from elsewhere" in done.stderr
