"""The process that measures kernels on one board; it keeps the session with it, and seeks another board without one."""

import itertools
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.protocol import die_with_parent
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.boards.gpu import with_gpu
from tvm_pipeline.backends.boards.session import Board, BoardSession, connect
from tvm_pipeline.backends.workers.run import (
    LARGE_WEIGHT_BYTES,
    REPEAT_SECONDS,
    REPEATS,
    Measurer,
    RunAnswer,
    RunRequest,
    Shapes,
    random_arrays,
)

FLUSH = "cache_flush_cpu_non_first_arg"
"""TVM's runtime has it: before a call everything but the input leaves the caches, as in a network."""
RECONNECT_SECONDS = 10.0
_WEIGHT = 1
_CPU = 1  # of DLPack's device types


@dataclass(frozen=True)
class ConnectRequest:
    """Keep the board at hand, or take a free one of ``device`` and let it compute with so many threads.

    :ivar compute_capability: of the GPU that kernels are for, ten times: 80 is 8.0; None for a CPU's kernels.
    """

    device: Device
    threads: int
    wait_seconds: float
    compute_capability: int | None = None


@dataclass(frozen=True)
class ConnectAnswer:
    """The board, or why there is none."""

    board: Board | None
    error: str | None = None


class _BoardKernel:
    """A kernel on the board, timed as a network calls it: large weights have long left a CPU's caches; a GPU's
    second-level cache holds them from one inference to the next."""

    def __init__(
        self, remote: Any, device: Any, name: str, artifact: str, shapes: Sequence[Sequence[int]], dtypes: Sequence[str]
    ) -> None:
        import tvm

        remote.upload(artifact, name)
        self._module = remote.load_module(name)
        remote.remove(name)
        self._device = device
        arrays = random_arrays(shapes, dtypes)
        self._arguments = [tvm.runtime.tensor(array, self._device) for array in arrays]
        is_cpu = device.dlpack_device_type() == _CPU
        self._is_cold = is_cpu and len(arrays) > _WEIGHT + 1 and arrays[_WEIGHT].nbytes >= LARGE_WEIGHT_BYTES
        self._number = max(1, int(REPEAT_SECONDS / max(min(self._evaluate(1, 2)), 1e-7)))

    def _evaluate(self, number: int, repeat: int) -> tuple[float, ...]:
        flush = FLUSH if self._is_cold else ""
        evaluator = self._module.time_evaluator("main", self._device, number=number, repeat=repeat, f_preproc=flush)
        return tuple(float(second) for second in evaluator(*self._arguments).results)

    def seconds(self, repeat: int = REPEATS, share: int = 1) -> tuple[float, ...]:
        """One value per repeat; with cold weights each is one call: within a repeat nothing is flushed."""
        number = max(1, self._number // share)
        return (
            self._evaluate(1, max(repeat, min(number, 3 * repeat))) if self._is_cold else self._evaluate(number, repeat)
        )


class KernelWorker:
    """Answers requests; a session that breaks off is told from a kernel that fails."""

    def __init__(self) -> None:
        self._request: ConnectRequest | None = None
        self._session: BoardSession | None = None
        self._measurer: Measurer | None = None
        self._names = itertools.count(1)

    def answer(self, request: ConnectRequest | RunRequest) -> ConnectAnswer | RunAnswer:
        """Connects, or measures a kernel."""
        if isinstance(request, ConnectRequest):
            self._request = request
            if self._session is not None and self._is_alive():
                return ConnectAnswer(self._session.board)
            return self._connect(request.wait_seconds)
        if self._session is None:
            return RunAnswer((), None, False, "no board", lost=True)
        assert self._measurer is not None
        address = self._session.board.address
        answer = self._measurer.measure(request)
        if answer.error is None or self._is_alive():
            return answer
        # A kernel that crashes takes the session with it, not the board: its server is there again at once.
        self._session = self._measurer = None
        back = self._connect(RECONNECT_SECONDS)
        if back.board is not None and back.board.address == address:
            return RunAnswer((), None, False, "the kernel ended the board's session: did it crash?")
        return RunAnswer((), None, False, f"the board at {address} broke off the session", lost=True)

    def _connect(self, wait_seconds: float) -> ConnectAnswer:
        assert self._request is not None
        self._session = self._measurer = None
        try:
            session = connect(self._request.device, wait_seconds, 0.0)
        except (UserError, SystemFailure) as error:
            return ConnectAnswer(None, str(error))
        session.remote.get_function("runtime.config_threadpool")(1, self._request.threads)
        if self._request.compute_capability is not None:
            try:
                session = with_gpu(session, self._request.compute_capability)
            except UserError as error:
                return ConnectAnswer(None, str(error))
        self._session = session
        self._measurer = Measurer(self._load)
        return ConnectAnswer(session.board)

    def _load(self, artifact: str, shapes: Shapes, dtypes: tuple[str, ...]) -> _BoardKernel:
        assert self._session is not None
        assert self._request is not None
        remote = self._session.remote
        device = remote.cpu(0) if self._request.compute_capability is None else remote.cuda(0)
        name = f"{next(self._names)}-{Path(artifact).name}"
        return _BoardKernel(remote, device, name, artifact, shapes, dtypes)

    def _is_alive(self) -> bool:
        assert self._session is not None
        try:
            self._session.remote.get_function("tvm.rpc.server.workpath")("alive")
        except Exception:  # whatever TVM makes of a broken connection
            return False
        return True


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import tvm  # noqa: F401

    from tvm_pipeline.backends.boards import kernel_worker
    from tvm_pipeline.backends.workers.process import serve_requests

    worker: Any = kernel_worker.KernelWorker()
    serve_requests(worker.answer)
