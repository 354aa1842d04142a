"""The child's side of the protocol between the front door and its two halves; standard library only.

A child (``python -m frontend``, ``python -m tvm_pipeline``) reads one JSON request on standard input and writes JSON
lines, each with ``"event"``: ``progress``, ``warning``, whatever else its verb names, and last ``result`` or ``error``.
Exit code: 0, 2 (user's mistake), 1 (system), 130 (interrupted). Whatever a library prints goes to standard error.

Importing this module blocks the imports that the parent named (``BLOCK_VARIABLE``), so it comes first in ``__main__``.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import IO, Any, NoReturn

from mobilenet_tvm.base.errors import SystemFailure, UserError

BLOCK_VARIABLE = "MOBILENET_TVM_BLOCK"
PARENT_VARIABLE = "MOBILENET_TVM_PARENT"
EXIT_OK, EXIT_SYSTEM, EXIT_USER, EXIT_INTERRUPTED = 0, 1, 2, 130
_PR_SET_PDEATHSIG = 1


def block_imports() -> None:
    """Make the modules named in the environment impossible to import in this process."""
    for name in filter(None, os.environ.get(BLOCK_VARIABLE, "").split(",")):
        sys.modules[name] = None  # type: ignore[assignment]


block_imports()


class Emit:
    """Writes events to the parent: ``emit({"event": "trial", ...})``, or one of the two common kinds by name.

    A parent that went away is no error here: the death signal ends the child.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._turn = threading.Lock()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Write one event, a JSON object with the key ``event``, and flush it."""
        with self._turn:
            self._stream.write(json.dumps(event) + "\n")
            self._stream.flush()

    def progress(self, stage: str, done: int | None = None, total: int | None = None, detail: str = "") -> None:
        """Say how far a stage has come."""
        self({"event": "progress", "stage": stage, "done": done, "total": total, "detail": detail})

    def warning(self, message: str) -> None:
        """Say something that the user should know and that stops nothing."""
        self({"event": "warning", "message": message})


Handler = Callable[[dict[str, Any], Emit], dict[str, Any]]


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that started it ends (Linux; elsewhere nothing happens)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    parent = os.environ.get(PARENT_VARIABLE)
    if parent and os.getppid() != int(parent):  # it died before the signal was asked for
        os._exit(EXIT_SYSTEM)


def take_stdout() -> IO[str]:
    """Keep standard output for events and send what anything else prints there, C++ code included, to stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "w", encoding="utf-8")


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _answer(handlers: Mapping[str, Handler], request: dict[str, Any], emit: Emit) -> int:
    verb = str(request.get("verb"))
    try:
        if verb not in handlers:
            raise SystemFailure(f"no such request: {verb}; known: {', '.join(sorted(handlers))}")
        payload = handlers[verb](request, emit)
    except UserError as error:
        emit({"event": "error", "kind": "user", "message": str(error), "detail": traceback.format_exc()})
        return EXIT_USER
    except KeyboardInterrupt:
        emit({"event": "error", "kind": "interrupted", "message": "interrupted", "detail": traceback.format_exc()})
        return EXIT_INTERRUPTED
    except SystemFailure as error:
        detail = error.detail or traceback.format_exc()
        emit({"event": "error", "kind": "system", "message": str(error), "detail": detail})
        return EXIT_SYSTEM
    except Exception as error:
        first = str(error).strip().splitlines()[:1]
        message = f"{type(error).__name__}: {first[0] if first else ''}"
        emit({"event": "error", "kind": "system", "message": message, "detail": traceback.format_exc()})
        return EXIT_SYSTEM
    emit({"event": "result", **payload})
    return EXIT_OK


def serve(handlers: Mapping[str, Handler]) -> NoReturn:
    """Answer the one request on standard input with ``handlers[request["verb"]](request, emit)`` and exit.

    A handler returns its result's payload, raises ``UserError`` for a user's mistake, and may catch
    ``KeyboardInterrupt`` (SIGINT and SIGTERM both raise it) to end early with a result.
    """
    die_with_parent()
    emit = Emit(take_stdout())
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    code = _answer(handlers, json.loads(sys.stdin.read()), emit)
    sys.stderr.flush()
    sys.exit(code)
