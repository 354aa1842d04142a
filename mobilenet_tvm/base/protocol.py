"""The child's side of the protocol between the front door and its two halves.

A child (``python -m frontend``, ``python -m tvm_pipeline``) reads one request on standard input, a document of
``base.jobs``, and writes JSON lines: events, and last ``{"event": "result" | "error", ...}``.
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
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, Literal, NoReturn

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.events import Event, Progress, Warned
from mobilenet_tvm.base.hidden_modules import hide

BLOCK_VARIABLE = "MOBILENET_TVM_BLOCK"
PARENT_VARIABLE = "MOBILENET_TVM_PARENT"
EXIT_OK, EXIT_SYSTEM, EXIT_USER, EXIT_INTERRUPTED = 0, 1, 2, 130
_PR_SET_PDEATHSIG = 1


def block_imports() -> None:
    """Make the modules named in the environment impossible to import in this process."""
    hide([name for name in os.environ.get(BLOCK_VARIABLE, "").split(",") if name])


block_imports()


class Failed(Document):
    """The last line of a child that has no result.

    :ivar detail: its traceback, and what else may help to find the cause.
    """

    event: Literal["error"] = "error"
    kind: Literal["user", "interrupted", "system"]
    message: str
    detail: str


class Emit:
    """Writes events to the parent. A parent that went away is no error here: the death signal ends the child."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._turn = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one event and flush it."""
        self.line(event.to_json())

    def line(self, values: Mapping[str, Any]) -> None:
        """Write one JSON object on a line of its own and flush it."""
        with self._turn:
            self._stream.write(json.dumps(values) + "\n")
            self._stream.flush()

    def progress(self, stage: str, done: int | None = None, total: int | None = None, detail: str = "") -> None:
        """Say how far a stage has come."""
        self(Progress(stage=stage, done=done, total=total, detail=detail))

    def warning(self, message: str) -> None:
        """Say something that the user should know and that stops nothing."""
        self(Warned(message=message))


Handlers = Mapping[type[Document], Callable[[Any, Emit], Document]]
"""Who answers which request, by the request's type."""


def spelled(request: Document) -> str:
    """A request as text, with the name of its type."""
    return json.dumps({"request": type(request).__name__, **request.to_json()})


def read(text: str, kinds: Iterable[type[Document]]) -> Document:
    """The request that a text spells, one of ``kinds``."""
    values = json.loads(text)
    by_name = {kind.__name__: kind for kind in kinds}
    name = values.pop("request", None)
    if name not in by_name:
        raise SystemFailure(f"no such request: {name}; known: {', '.join(sorted(by_name))}")
    return by_name[name].from_json(values)


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


def _answer(handlers: Handlers, text: str, emit: Emit) -> int:
    try:
        request = read(text, handlers)
        result = handlers[type(request)](request, emit)
    except UserError as error:
        return _fail(emit, "user", str(error), EXIT_USER)
    except KeyboardInterrupt:
        return _fail(emit, "interrupted", "interrupted", EXIT_INTERRUPTED)
    except SystemFailure as error:
        return _fail(emit, "system", str(error), EXIT_SYSTEM, error.detail)
    except Exception as error:
        first = str(error).strip().splitlines()[:1]
        return _fail(emit, "system", f"{type(error).__name__}: {first[0] if first else ''}", EXIT_SYSTEM)
    emit.line({"event": "result", **result.to_json()})
    return EXIT_OK


def _fail(emit: Emit, kind: Literal["user", "interrupted", "system"], message: str, code: int, detail: str = "") -> int:
    emit.line(Failed(kind=kind, message=message, detail=detail or traceback.format_exc()).to_json())
    return code


def serve(handlers: Handlers) -> NoReturn:
    """Answer the one request on standard input by the handler of its type and exit.

    A handler returns its result, raises ``UserError`` for a user's mistake, and may catch ``KeyboardInterrupt`` (SIGINT
    and SIGTERM both raise it) to end early with a result.
    """
    die_with_parent()
    emit = Emit(take_stdout())
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    code = _answer(handlers, sys.stdin.read(), emit)
    sys.stderr.flush()
    sys.exit(code)
