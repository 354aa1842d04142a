"""A tuner's backend that builds here and measures on every free board of a tracker's key."""

import queue
from pathlib import Path
from typing import Self

from tvm.s_tir import Schedule

from mobilenet_tvm.base.answers import BoardFacts
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED
from mobilenet_tvm.base.tracker import Device
from tvm_pipeline.backends.backend import Answer, Setup
from tvm_pipeline.backends.boards.lane import AGAIN_WAIT_SECONDS, Lane, take_free_boards
from tvm_pipeline.backends.boards.session import is_ours
from tvm_pipeline.backends.conditions import Conditions, campaign_today, short_name
from tvm_pipeline.backends.workers.build import KernelBuilder
from tvm_pipeline.codegen.cuda.compiler import device_code
from tvm_pipeline.hardware.target import AnyTarget


def _unfit(board: BoardFacts, target: AnyTarget) -> str | None:
    """Why a board cannot run the target's kernels; None where it can, or does not say what it is."""
    arch = target.zig_target.partition("-")[0]
    if board.arch not in (None, arch):
        return f"target {target.name} is {arch}, and the board at {board.address} is {board.arch}"
    lacking = [feature for feature in target.cpu_features if feature not in board.features] if is_ours(board) else []
    if lacking:
        return f"target {target.name} needs {', '.join(lacking)}, which the board at {board.address} lacks"
    return None


class BoardMeasurement:
    """Takes all free boards at once; one that dies costs its trial, and the others go on.

    :ivar boards: those taken, as they describe themselves.
    :raises UserError: no tracker, no board with that key, none becomes free, or one is of another kind.
    """

    is_repeatable = False
    overlaps = False

    def __init__(self, device: Device, setup: Setup) -> None:
        self._device, self._threads, self._warn = device, setup.threads, setup.warn
        capability: int | None = setup.target.unit.compute_capability
        self._lanes = take_free_boards(device, setup.threads, capability)
        self.boards = tuple(lane.board for lane in self._lanes if lane.board is not None)
        unfit = [reason for board in self.boards if (reason := _unfit(board, setup.target)) is not None]
        if unfit:
            self._stop_lanes()
            raise UserError(unfit[0])
        self._builder = KernelBuilder(setup.target, device_code=device_code(capability, is_emulated=self._is_emulated))
        self._left = len(self._lanes)
        self._free: queue.Queue[Lane | None] = queue.Queue()
        for lane in self._lanes:
            self._free.put(lane)

    @property
    def _is_emulated(self) -> bool:
        return any(board.emulated for board in self.boards)

    @property
    def conditions(self) -> Conditions | None:
        """None where a board is emulated: its times are no board's."""
        if self._is_emulated:
            return None
        names = sorted({board.gpu or board.cpu or self._device.key for board in self.boards})
        remarks = "" if len(names) == 1 else f"measured on boards that differ: {', '.join(names)}"
        gpu, cpu = self.boards[0].gpu, self.boards[0].cpu
        return Conditions(
            record=MEASURED,
            campaign=campaign_today(f"{short_name(names[0])} {self._threads}t"),
            device=f"{len(self.boards)} x {self._device.key} over RPC",
            cpu_model=names[0] if gpu is None else cpu or "unknown",
            remarks=remarks,
            gpu=gpu,
        )

    @property
    def lanes(self) -> int:
        """How many boards measure at once."""
        return len(self.boards)

    def __enter__(self) -> Self:
        self._builder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.stop()
        self._stop_lanes()

    def _stop_lanes(self) -> None:
        for lane in self._lanes:
            lane.stop()

    def build(self, schedule: Schedule) -> Path:
        return self._builder.build(schedule)

    def run(self, artifact: Path, layer: Layer) -> Answer:
        """Measures a built kernel on the next free board and deletes it.

        :raises UserError: no board is left.
        """
        request = self._builder.run_request(artifact, layer)
        lane = self._free.get()
        if lane is None:
            self._free.put(None)  # for the next thread that asks
            raise self._nobody_left()
        answer = lane.measure(request)
        artifact.unlink(missing_ok=True)
        if answer.lost:
            self._find_another(lane, answer.error)
        else:
            self._free.put(lane)
        return answer

    def _find_another(self, lane: Lane, error: str | None) -> None:
        """Gives a lane that lost its board another one, or ends it."""
        lane.connect(AGAIN_WAIT_SECONDS).result()
        if lane.board is not None:
            self._warn(f"{error}; {lane.board.address} takes its place")
            self._free.put(lane)
            return
        self._left -= 1
        if self._left == 0:
            self._free.put(None)
            raise self._nobody_left(error)
        self._warn(f"{error}; tuning goes on with {self._left} board(s)")

    def _nobody_left(self, error: str | None = None) -> UserError:
        before = f"{error}; " if error else ""
        return UserError(
            f"{before}no board of {self._device} is left: what was measured is kept, and the same command goes on from "
            "there once a board is back"
        )


def open_backend(setup: Setup) -> BoardMeasurement:
    """:raises UserError: as the class does."""
    assert setup.device is not None
    boards = BoardMeasurement(setup.device, setup)
    if boards.conditions is None:
        setup.warn(f"{setup.device} is an emulator, whose times are no board's: nothing is written into logs")
    return boards
