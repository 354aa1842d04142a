"""What measures kernels on one board, in a process of its own, and seeks another board when its own is gone."""

from dataclasses import dataclass
from pathlib import Path

import tvm

from mobilenet_tvm.base.answers import BoardFacts
from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.backend import Answer
from tvm_pipeline.backends.boards.session import BoardSession, connect, with_gpu
from tvm_pipeline.backends.workers.run import (
    LARGE_WEIGHT_BYTES,
    REPEATS,
    BuiltKernel,
    Measurer,
    RunRequest,
    calls_per_repeat,
)

FLUSH = "cache_flush_cpu_non_first_arg"
"""TVM's runtime has it: before a call everything but the input leaves the caches, as in a network."""
RECONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class ConnectAnswer:
    """The board, or why there is none."""

    board: BoardFacts | None
    error: str | None = None


class _BoardKernel:
    """A kernel on the board, timed as a network calls it: large weights have long left a CPU's caches; a GPU's
    second-level cache holds them from one inference to the next."""

    def __init__(self, session: BoardSession, name: str, kernel: BuiltKernel) -> None:
        remote, device = session.remote, session.remote.device(session.processor)
        remote.upload(kernel.artifact, name)
        self._module = remote.load_module(name)
        remote.remove(name)
        self._device = device
        self._arguments = [tvm.runtime.tensor(array, device) for array in kernel.arrays()]
        self._is_cold = session.processor == "cpu" and kernel.weight_bytes >= LARGE_WEIGHT_BYTES
        self._number = calls_per_repeat(self._evaluate(1, 2))

    def _evaluate(self, number: int, repeat: int) -> tuple[float, ...]:
        flush = FLUSH if self._is_cold else ""
        evaluator = self._module.time_evaluator("main", self._device, number=number, repeat=repeat, f_preproc=flush)
        return tuple(float(second) for second in evaluator(*self._arguments).results)

    def seconds(self, repeat: int = REPEATS, share: int = 1) -> tuple[float, ...]:
        """One value per repeat; with cold weights each is one call: within a repeat nothing is flushed."""
        number = max(1, self._number // share)
        if self._is_cold:
            return self._evaluate(1, max(repeat, min(number, 3 * repeat)))
        return self._evaluate(number, repeat)


class KernelWorker:
    """Holds a board; a session that breaks off is told from a kernel that fails.

    :param threads: that a kernel may use on the board.
    :param compute_capability: of the GPU that kernels are for, ten times: 80 is 8.0; None for a CPU's kernels.
    """

    def __init__(self, device: Device, threads: int, compute_capability: int | None = None) -> None:
        self._device, self._threads, self._compute_capability = device, threads, compute_capability
        self._session: BoardSession | None = None
        self._measurer = Measurer(self._load)
        self._loaded = 0

    def connect(self, wait_seconds: float) -> ConnectAnswer:
        """Keeps the board at hand, or takes one that is free within so long."""
        if self._session is not None and self._is_alive():
            return ConnectAnswer(self._session.board)
        self._session = None
        self._measurer = Measurer(self._load)
        try:
            session = connect(self._device, wait_seconds, 0.0)
            session.remote.get_function("runtime.config_threadpool")(1, self._threads)  # 1: the big cores first
            if self._compute_capability is not None:
                session = with_gpu(session, self._compute_capability)
        except (UserError, SystemFailure) as error:
            return ConnectAnswer(None, str(error))
        self._session = session
        return ConnectAnswer(session.board)

    def measure(self, request: RunRequest) -> Answer:
        """Times a kernel on the board."""
        if self._session is None:
            return Answer(error="no board", lost=True)
        address = self._session.board.address
        answer = self._measurer.measure(request)
        if answer.error is None or self._is_alive():
            return answer
        # A kernel that crashes takes the session with it, not the board: its server is there again at once.
        again = self.connect(RECONNECT_SECONDS)
        if again.board is not None and again.board.address == address:
            return Answer(error="the kernel ended the board's session: did it crash?")
        return Answer(error=f"the board at {address} broke off the session", lost=True)

    def _load(self, kernel: BuiltKernel) -> _BoardKernel:
        assert self._session is not None
        self._loaded += 1
        return _BoardKernel(self._session, f"{self._loaded}-{Path(kernel.artifact).name}", kernel)

    def _is_alive(self) -> bool:
        assert self._session is not None
        try:
            self._session.remote.get_function("tvm.rpc.server.workpath")("alive")
        except Exception:  # whatever TVM makes of a broken connection
            return False
        return True
