"""A child process that stays warm: it imports TVM once and then answers requests over a socket pair."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from mobilenet_tvm.base.protocol import PARENT_VARIABLE

START_SECONDS = 120.0
"""How long a worker may take to import TVM on a busy machine; it does not count against a trial."""


class WorkerFailed(Exception):
    """The worker died or did not answer in time; the next request starts a fresh one."""


class WorkerProcess:
    """``python -m module DESCRIPTOR`` that answers pickled requests; started when first needed."""

    def __init__(self, module: str, environment: dict[str, str] | None = None, cores: set[int] | None = None) -> None:
        self._module = module
        self._environment = environment or {}
        self._cores = cores
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def start(self) -> None:
        """Starts the process; it becomes ready while the caller does something else."""
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **self._environment, PARENT_VARIABLE: str(os.getpid())}
        command = [sys.executable, "-m", self._module, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if self._cores:
            os.sched_setaffinity(self._process.pid, self._cores)
        theirs.close()
        self._connection = Connection(ours.detach())
        self._is_ready = False

    def ask(self, request: Any, timeout: float) -> Any:
        """The answer to one request; threads take turns, or one would get another's answer.

        Raises WorkerFailed after ``timeout`` seconds, or when the worker dies.
        """
        with self._turn:
            return self._ask(request, timeout)

    def _ask(self, request: Any, timeout: float) -> Any:
        if self._process is None:
            self.start()
        connection = self._connection
        assert connection is not None
        try:
            if not self._is_ready:
                self._receive(connection, START_SECONDS)
                self._is_ready = True
            connection.send_bytes(pickle.dumps(request))
            return self._receive(connection, timeout)
        except (EOFError, OSError) as error:
            self.stop()
            raise WorkerFailed("the worker process died") from error
        except WorkerFailed:
            self.stop()
            raise

    @staticmethod
    def _receive(connection: "Connection[Any, Any]", timeout: float) -> Any:
        if not connection.poll(timeout):
            raise WorkerFailed(f"no answer within {timeout:.0f} s")
        return pickle.loads(connection.recv_bytes())

    def stop(self) -> None:
        """Ends the process at once."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = self._connection = None


def serve_requests(answer: Any) -> None:
    """The worker's side: says that it is ready, then answers requests until the parent hangs up."""
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    connection.send_bytes(pickle.dumps("ready"))
    while True:
        try:
            request = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        connection.send_bytes(pickle.dumps(answer(request)))
