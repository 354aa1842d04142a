"""A board at work: a process of ours that holds the session with it."""

from concurrent.futures import Future, ThreadPoolExecutor

from mobilenet_tvm.base.answers import BoardFacts
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.tracker import Device, tracker_of
from tvm_pipeline.backends.backend import Answer
from tvm_pipeline.backends.boards.kernel_worker import ConnectAnswer, KernelWorker
from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess
from tvm_pipeline.backends.workers.run import RunRequest

FIRST_WAIT_SECONDS, AGAIN_WAIT_SECONDS = 600.0, 3.0
RUN_TIMEOUT = 180.0
CONNECT_TIMEOUT = 60.0


class Lane:
    """One process with one board. A worker dies with the thread that started it, so a lane has a thread of its own.

    :ivar board: None before there is one, and after it was lost.
    """

    def __init__(self, worker: KernelWorker) -> None:
        self._worker = WorkerProcess(worker)
        self._thread = ThreadPoolExecutor(1)
        self.board: BoardFacts | None = None

    def connect(self, wait_seconds: float) -> "Future[str | None]":
        """Keeps a board that is alive, or takes one that is free within so long; says what went wrong, if anything."""
        return self._thread.submit(self._connect, wait_seconds)

    def _connect(self, wait_seconds: float) -> str | None:
        try:
            answer = self._worker.ask(KernelWorker.connect, wait_seconds, wait_seconds + CONNECT_TIMEOUT)
        except WorkerFailed as error:
            answer = ConnectAnswer(None, str(error))
        self.board = answer.board
        return answer.error

    def measure(self, request: RunRequest) -> Answer:
        """Times a kernel on the board."""
        return self._thread.submit(self._measure, request).result()

    def _measure(self, request: RunRequest) -> Answer:
        try:
            return self._worker.ask(KernelWorker.measure, request, RUN_TIMEOUT)
        except WorkerFailed as error:
            address = self.board.address if self.board is not None else ""
            return Answer(error=f"the board at {address} is gone ({error})", lost=True)

    def stop(self) -> None:
        """Ends the process, and with it the session."""
        self._thread.submit(self._worker.stop)
        self._thread.shutdown()


def take_free_boards(device: Device, threads: int, compute_capability: int | None) -> list[Lane]:
    """A lane for each board that is free now, or for the first that becomes so.

    :raises UserError: there is no tracker, no board with that key, or none becomes free.
    """
    with tracker_of(device) as tracker:
        free = next((boards.free for boards in tracker.boards() if boards.key == device.key), 0)
    lanes = [Lane(KernelWorker(device, threads, compute_capability)) for _ in range(max(1, free))]
    connecting = [lane.connect(FIRST_WAIT_SECONDS) for lane in lanes]
    errors = [future.result() for future in connecting]
    for lane in lanes:
        if lane.board is None:  # somebody else was faster
            lane.stop()
    if all(lane.board is None for lane in lanes):
        raise UserError(str(errors[0]))
    return [lane for lane in lanes if lane.board is not None]
