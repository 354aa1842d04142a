"""A tuner's backend that builds here and measures on every free board of a tracker's key."""

import os
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tvm.s_tir import Schedule

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tracker import Device, tracker_of
from mobilenet_tvm.base.tuning_log import MEASURED
from tvm_pipeline.backends.boards.kernel_worker import ConnectAnswer, ConnectRequest
from tvm_pipeline.backends.boards.session import Board
from tvm_pipeline.backends.clock.measurement import KernelBuilder, run_request
from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess
from tvm_pipeline.backends.workers.run import RunAnswer, RunRequest
from tvm_pipeline.hardware.target import AnyTarget

FIRST_WAIT_SECONDS, AGAIN_WAIT_SECONDS = 600.0, 3.0
RUN_TIMEOUT = 180.0
CONNECT_TIMEOUT = 60.0


class _Lane:
    """One process with one board. A worker dies with the thread that started it, so a lane has a thread of its own."""

    def __init__(self, device: Device, threads: int, compute_capability: int | None) -> None:
        self._device, self._threads, self._compute_capability = device, threads, compute_capability
        self._worker = WorkerProcess("tvm_pipeline.backends.boards.kernel_worker")
        self._thread = ThreadPoolExecutor(1)
        self._address = ""

    def connect(self, wait_seconds: float) -> "Future[ConnectAnswer]":
        """Takes a board that is free within so long."""
        return self._thread.submit(self._connect, wait_seconds)

    def _connect(self, wait_seconds: float) -> ConnectAnswer:
        request = ConnectRequest(self._device, self._threads, wait_seconds, self._compute_capability)
        try:
            answer: ConnectAnswer = self._worker.ask(request, wait_seconds + CONNECT_TIMEOUT)
        except WorkerFailed as error:
            return ConnectAnswer(None, str(error))
        self._address = answer.board.address if answer.board is not None else ""
        return answer

    def measure(self, request: RunRequest) -> "Future[RunAnswer]":
        return self._thread.submit(self._measure, request)

    def _measure(self, request: RunRequest) -> RunAnswer:
        try:
            answer: RunAnswer = self._worker.ask(request, RUN_TIMEOUT)
        except WorkerFailed as error:
            return RunAnswer((), None, False, f"the board at {self._address} is gone ({error})", lost=True)
        return answer

    def stop(self) -> None:
        self._thread.submit(self._worker.stop)
        self._thread.shutdown()


def _unfit(board: Board, target: AnyTarget) -> str | None:
    """Why a board cannot run the target's kernels; None where it can, or does not say what it is."""
    arch = target.zig_target.partition("-")[0]
    if board.arch not in (None, arch):
        return f"target {target.name} is {arch}, and the board at {board.address} is {board.arch}"
    lacking = [one for one in target.cpu_features if one not in board.features] if board.is_ours else []
    if lacking:
        return f"target {target.name} needs {', '.join(lacking)}, which the board at {board.address} lacks"
    return None


class BoardMeasurement:
    """Takes all free boards at once; one that dies costs its trial, and the others go on.

    :ivar boards: those taken, as they describe themselves.
    """

    record = MEASURED
    is_repeatable = False
    overlaps = False

    def __init__(self, device: Device, target: AnyTarget, threads: int, warn: Callable[[str], None]) -> None:
        """:raises UserError: no tracker, no board with that key, none becomes free, or one is of another kind."""
        self._device, self._warn = device, warn
        self._unit = target.unit
        self._builder = KernelBuilder(target, set(os.sched_getaffinity(0)))
        with tracker_of(device) as tracker:
            free = next((one.free for one in tracker.boards() if one.key == device.key), 0)
        capability = target.unit.compute_capability
        self._lanes = [_Lane(device, threads, capability) for _ in range(max(1, free))]
        self._free: queue.Queue[_Lane | None] = queue.Queue()
        self._left = len(self._lanes)
        asked = [lane.connect(FIRST_WAIT_SECONDS) for lane in self._lanes]
        answers = [one.result() for one in asked]
        self.boards: tuple[Board, ...] = tuple(one.board for one in answers if one.board is not None)
        for lane, answer in zip(self._lanes, answers, strict=True):
            if answer.board is not None:
                self._free.put(lane)
        self._left = len(self.boards)
        self._builder.for_emulated_gpu = capability is not None and any(board.emulated for board in self.boards)
        unfit = [one for one in (_unfit(board, target) for board in self.boards) if one is not None]
        if not self.boards or unfit:
            self.close()
            raise UserError(unfit[0] if unfit else str(answers[0].error))

    @property
    def lanes(self) -> int:
        """How many boards measure at once."""
        return len(self.boards)

    def __enter__(self) -> "BoardMeasurement":
        self._builder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes, and with them the sessions."""
        self._builder.stop()
        for lane in self._lanes:
            lane.stop()

    def build(self, schedule: Schedule) -> tuple[Path, str | None]:
        """The path of the shared object, and what went wrong if anything did."""
        return self._builder.build(schedule)

    def run(self, artifact: Path, layer: Layer) -> RunAnswer:
        """Measures a built kernel on the next free board and deletes it.

        :raises UserError: no board is left.
        """
        lane = self._free.get()
        if lane is None:
            self._free.put(None)  # for the next thread that asks
            raise self._nobody_left()
        request = run_request(artifact, layer, self._builder.reference(), self._unit)
        answer = lane.measure(request).result()
        artifact.unlink(missing_ok=True)
        if answer.lost:
            self._find_another(lane, answer.error)
        else:
            self._free.put(lane)
        return answer

    def _find_another(self, lane: _Lane, error: str | None) -> None:
        """Gives a lane that lost its board another one, or ends it."""
        again = lane.connect(AGAIN_WAIT_SECONDS).result()
        if again.board is not None:
            self._warn(f"{error}; {again.board.address} takes its place")
            self._free.put(lane)
            return
        self._left -= 1
        if self._left == 0:
            self._free.put(None)
            raise self._nobody_left(error)
        self._warn(f"{error}; tuning goes on with {self._left} board(s)")

    def _nobody_left(self, error: str | None = None) -> UserError:
        told = f"{error}; " if error else ""
        return UserError(
            f"{told}no board of {self._device} is left: what was measured is kept, and the same command goes on from "
            "there once a board is back"
        )
