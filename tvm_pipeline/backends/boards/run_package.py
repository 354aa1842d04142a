"""``mobilenet-run`` on a board: the same arguments, the same answers, over TVM's RPC."""

import json
import shlex
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.answers import BoardFacts, BoardRun
from mobilenet_tvm.base.protocol import Emit
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.boards.session import RUN, BoardSession, connect, is_ours, within
from tvm_pipeline.codegen.link import link_shared

PACKAGE, ARCHIVE, SCRIPT = "package", "package.tar", "run-package.sh"
"""On the board: the package's folder, and what brings it there where a server of TVM's own knows files alone."""
WAIT_SECONDS = 600.0
SESSION_SECONDS = 900.0

_STARTER = """extern "C" int system(const char *);
extern "C" int __tvm_ffi_main(void *, void *, int, void *) { return system(COMMAND) == -1; }
"""


def describe(device: Device) -> BoardFacts:
    """What one free board with that key says of itself.

    :raises UserError: there is no such board.
    :raises SystemFailure: it does not answer.
    """
    return connect(device, WAIT_SECONDS, SESSION_SECONDS).board


def run_package(device: Device, folder: Path, files: Sequence[str], words: Sequence[str], emit: Emit) -> BoardRun:
    """Runs ``mobilenet-run PACKAGE WORDS...`` on a free board.

    :param files: the package's files, which the board checks as a package's user would.
    :param words: the arguments behind the package; a file of this machine travels with them.
    :returns: ``code``, ``output`` and ``error`` of the program, and ``board``.
    :raises UserError: there is no such board.
    :raises SystemFailure: it broke off the session.
    """
    session = connect(device, WAIT_SECONDS, SESSION_SECONDS)
    emit.progress("uploading", detail=session.board.address)
    what = f"board {device.key} at {session.board.address}"
    run = _ask_runner if is_ours(session.board) else _start_runner

    def upload_and_run() -> dict[str, Any]:
        return run(session, folder, files, [_uploaded(session, number, word) for number, word in enumerate(words)])

    answer = within(SESSION_SECONDS, upload_and_run, what)
    return BoardRun.from_json({**answer, "board": session.board})


def _ask_runner(session: BoardSession, folder: Path, files: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """By the function that a mobilenet-run registers which serves the board."""
    for name in files:
        session.remote.upload(bytearray((folder / name).read_bytes()), f"{PACKAGE}/{name}")
    answer: dict[str, Any] = json.loads(session.remote.get_function(RUN)(json.dumps([PACKAGE, *words])))
    return answer


def _start_runner(session: BoardSession, folder: Path, files: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    """By a shell that a function of ours starts: a server of TVM's own loads code and starts no program."""
    remote = session.remote
    script = remote.get_function("tvm.rpc.server.workpath")(SCRIPT)
    arch = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["target"]["arch"]
    with tempfile.TemporaryDirectory(prefix="mobilenet-tvm-") as scratch:
        archive, source, starter = (Path(scratch) / name for name in (ARCHIVE, "start.cc", "start.so"))
        with tarfile.open(archive, "w") as tar:
            for name in files:
                tar.add(folder / name, name)
        source.write_text(_STARTER.replace("COMMAND", json.dumps(f"sh {shlex.quote(script)}")))
        link_shared(str(starter), [str(source)], f"{arch}-linux-gnu")
        remote.upload(str(archive))
        remote.upload(str(starter))
    lines = [f"cd {shlex.quote(str(Path(script).parent))}", f"mkdir {PACKAGE}", f"tar xf {ARCHIVE} -C {PACKAGE}"]
    lines += [f"sh {PACKAGE}/run.sh {shlex.join(words)} > output 2> error", "echo $? > code"]
    remote.upload(bytearray("\n".join(lines).encode()), SCRIPT)
    remote.load_module(starter.name)["main"]()
    code, output, error = (remote.download(name).decode() for name in ("code", "output", "error"))
    return {"code": int(code), "output": output, "error": error}


def _uploaded(session: BoardSession, number: int, word: str) -> str:
    """A word of the command line as the board must read it."""
    path = Path(word)
    if not path.is_absolute() or not path.is_file():
        return word
    name = f"input{number}{path.suffix}"
    session.remote.upload(bytearray(path.read_bytes()), name)
    return name
