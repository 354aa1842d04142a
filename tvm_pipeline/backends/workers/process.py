"""A child process that stays warm: it imports TVM once and then answers requests over a socket pair."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from mobilenet_tvm.base.child import child_command, child_environment
from mobilenet_tvm.base.protocol import die_with_parent

START_SECONDS = 120.0
"""How long a worker may take to import TVM on a busy machine; it does not count against a trial."""

Servant = TypeVar("Servant")
Request = TypeVar("Request")
Reply = TypeVar("Reply")


class WorkerFailed(Exception):
    """The worker died or did not answer in time; the next request starts a fresh one."""


class WorkerProcess(Generic[Servant]):
    """A process, started when first needed, in which a copy of an object answers requests.

    :param servant: the object as it is at the start; it is pickled, and what it learns stays in the process.
    :param environment: variables that the process gets besides ours.
    :param cores: CPU cores that it may use; None: all.
    """

    def __init__(
        self, servant: Servant, environment: dict[str, str] | None = None, cores: frozenset[int] | None = None
    ) -> None:
        self._servant = servant
        self._environment = environment
        self._cores = cores
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._is_ready = False

    def start(self) -> None:
        """Starts the process; it becomes ready while the caller does something else."""
        ours, theirs = socket.socketpair()
        name = type(self._servant).__name__  # for whoever lists processes
        self._process = subprocess.Popen(
            [*child_command(__name__), str(theirs.fileno()), name],
            pass_fds=(theirs.fileno(),), env=child_environment(("torch",), self._environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if self._cores:
            os.sched_setaffinity(self._process.pid, self._cores)
        theirs.close()
        self._connection = Connection(ours.detach())
        self._connection.send_bytes(pickle.dumps(self._servant))
        self._is_ready = False

    def ask(self, method: Callable[[Servant, Request], Reply], request: Request, timeout: float) -> Reply:
        """The answer to one request; threads take turns, or one would get another's answer.

        :param method: of the servant's class.
        :raises WorkerFailed: there is none after ``timeout`` seconds, or the worker dies.
        """
        with self._turn:
            try:
                reply: Reply = self._exchange((method, request), timeout)
            except (EOFError, OSError) as error:
                self.stop()
                raise WorkerFailed("the worker process died") from error
            except WorkerFailed:
                self.stop()
                raise
            return reply

    def _exchange(self, message: Any, timeout: float) -> Any:
        if self._connection is None:
            self.start()
        assert self._connection is not None
        if not self._is_ready:
            _receive(self._connection, START_SECONDS)
            self._is_ready = True
        self._connection.send_bytes(pickle.dumps(message))
        return _receive(self._connection, timeout)

    def stop(self) -> None:
        """Ends the process at once."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = self._connection = None


def _receive(connection: "Connection[Any, Any]", timeout: float) -> Any:
    if not connection.poll(timeout):
        raise WorkerFailed(f"no answer within {timeout:.0f} s")
    return pickle.loads(connection.recv_bytes())


def _serve(connection: "Connection[Any, Any]") -> None:
    """The worker's side: says that it is ready, then answers requests until the parent hangs up."""
    servant = pickle.loads(connection.recv_bytes())
    connection.send_bytes(pickle.dumps("ready"))
    while True:
        try:
            method, request = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        connection.send_bytes(pickle.dumps(method(servant, request)))


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import tvm  # noqa: F401  # warm: the first request must not pay for it

    _serve(Connection(int(sys.argv[1])))
