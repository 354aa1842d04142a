"""An object in a process of its own: it keeps what it learns, until the process dies."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from tvm_pipeline.backends.workers.process import WorkerFailed, WorkerProcess

SECONDS = 60.0


@pytest.fixture
def numbers() -> list[int]:
    return [7]


@pytest.fixture
def worker(numbers: list[int]) -> Iterator[WorkerProcess[list[int]]]:
    started = WorkerProcess(numbers)
    yield started
    started.stop()


def _process() -> psutil.Process:
    return next(child for child in psutil.Process().children() if child.cmdline()[-1] == "list")


def test_a_copy_answers_and_keeps_what_it_learns(worker: WorkerProcess[list[int]], numbers: list[int]) -> None:
    assert worker.ask(list.count, 7, SECONDS) == 1
    worker.ask(list.append, 7, SECONDS)
    assert worker.ask(list.count, 7, SECONDS) == 2
    assert numbers == [7]


def test_after_a_death_a_fresh_copy_answers(worker: WorkerProcess[list[int]]) -> None:
    worker.ask(list.append, 7, SECONDS)
    _process().kill()
    with pytest.raises(WorkerFailed, match="the worker process died"):
        worker.ask(list.count, 7, SECONDS)
    assert worker.ask(list.count, 7, SECONDS) == 1


def test_a_worker_that_hangs_is_ended(worker: WorkerProcess[list[int]]) -> None:
    worker.ask(list.count, 7, SECONDS)
    process = _process()
    process.suspend()
    with pytest.raises(WorkerFailed, match="no answer within 0 s"):
        worker.ask(list.count, 7, 0.2)
    assert not process.is_running()
    assert worker.ask(list.count, 7, SECONDS) == 1
