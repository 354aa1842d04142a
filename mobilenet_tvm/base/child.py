"""The parent's side of the protocol: start a half of the house as a process, follow its events, return its result."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any, TypeVar

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import OnEvent, Progress, Trial, Warned
from mobilenet_tvm.base.protocol import BLOCK_VARIABLE, PARENT_VARIABLE, Failed, spelled

DEBUG_VARIABLE = "MOBILENET_TVM_DEBUG"
_EVENTS: dict[str, type[Progress | Warned | Trial]] = {"progress": Progress, "warning": Warned, "trial": Trial}
_STDERR_TAIL = 8000  # characters of a failed child's standard error that an error keeps
Answer = TypeVar("Answer", bound=Document)


def child_environment(block: tuple[str, ...] = (), extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: ours, the imports it must do without, and whose child it is."""
    return {**os.environ, BLOCK_VARIABLE: ",".join(block), PARENT_VARIABLE: str(os.getpid()), **(extra or {})}


def child_command(module: str) -> list[str]:
    """Run a module with this Python; ``-P`` keeps a folder of the user's called ``targets`` out of its way."""
    return [sys.executable, "-P", "-m", module]


def _lines(stream: IO[str]) -> Iterator[dict[str, Any]]:
    for line in stream:
        if line.strip():
            yield json.loads(line)


def _stop(child: subprocess.Popen[str]) -> None:
    """End a child and everything that it started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _follow(child: subprocess.Popen[str], on_event: OnEvent | None) -> dict[str, Any] | None:
    """The child's last line. The first Ctrl-C is passed on and waited for; a second one ends the child at once."""
    last: dict[str, Any] | None = None
    interrupted = False
    assert child.stdout is not None
    lines = _lines(child.stdout)
    while True:
        try:
            line = next(lines, None)
            if line is None:
                return last
            kind = line["event"]
            if kind not in _EVENTS:
                last = line
            elif on_event is not None:
                on_event(_EVENTS[kind].from_json(line))
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            child.send_signal(signal.SIGINT)
            lines = _lines(child.stdout)  # an exception ends a generator


def run_child(
    module: str,
    request: Document,
    answer: type[Answer],
    on_event: OnEvent | None = None,
    block: tuple[str, ...] = (),
) -> Answer:
    """Send ``request`` to ``python -m module`` and return its result.

    :param answer: the result's type.
    :param on_event: called with every event before the last (``progress``, ``warning``, ``trial``).
    :param block: top-level modules that the child must not import.
    :raises UserError: the child says that the user made a mistake.
    :raises SystemFailure: it failed otherwise, or died; ``detail`` has its trace and the end of its standard error.
    """
    debug = bool(os.environ.get(DEBUG_VARIABLE))
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
        child = subprocess.Popen(
            child_command(module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if debug else noise,
            env=child_environment(block),
            start_new_session=True,  # a terminal's Ctrl-C reaches only us; we pass it on once
            text=True,
            encoding="utf-8",
        )
        try:
            assert child.stdin is not None
            with contextlib.suppress(BrokenPipeError), child.stdin:
                child.stdin.write(spelled(request))
            last = _follow(child, on_event)
            child.wait()
        except BaseException:
            _stop(child)
            raise
        finally:
            assert child.stdout is not None
            child.stdout.close()
        noise.seek(0)
        stderr = noise.read()[-_STDERR_TAIL:]
    return answer.from_json(_payload(module, last, child.returncode, stderr))


def _payload(module: str, last: dict[str, Any] | None, code: int, stderr: str) -> dict[str, Any]:
    if last is None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise SystemFailure(f"{module} {how} without an answer; --debug shows what it printed", stderr)
    if last["event"] == "result":
        return last
    failed = Failed.from_json(last)
    if failed.kind == "user":
        raise UserError(failed.message)
    if failed.kind == "interrupted":
        raise KeyboardInterrupt
    raise SystemFailure(failed.message, f"{failed.detail}\n{stderr}".strip())
