"""Candidates through backends that run one at a time, or several."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.answers import answers
from tvm_pipeline.backends.workers.run import RunAnswer

LAYER = Layer.parse("pointwise 14x14x64->64 bias relu")
WAIT = 10.0


class _Backend:
    """Candidates are numbers; with several lanes a run waits until as many run at once."""

    record, is_repeatable, overlaps = "measured", False, False

    def __init__(self, lanes: int, broken: frozenset[int] = frozenset(), ends_at: int | None = None) -> None:
        self.lanes = lanes
        self._broken, self._ends_at = broken, ends_at
        self._together = threading.Barrier(lanes)
        self.built: list[int] = []
        self.ran: list[int] = []

    def build(self, schedule: Any) -> tuple[Path, str | None]:
        self.built.append(schedule)
        return Path(str(schedule)), "does not compile" if schedule in self._broken else None

    def run(self, artifact: Path, layer: Layer) -> RunAnswer:
        assert layer == LAYER
        number = int(artifact.name)
        if number == self._ends_at:
            raise UserError("no board is left")
        if self._ends_at is None:
            self._together.wait(WAIT)
        time.sleep(0.02)
        self.ran.append(number)
        return RunAnswer((float(number),), None, True)


def _candidates(count: int) -> list[Any]:
    return [((number,), number) for number in range(count)]


@pytest.mark.parametrize("lanes", [1, 3])
def test_everyone_is_answered_once(lanes: int) -> None:
    backend = _Backend(lanes, broken=frozenset({2}))
    found = {choice: answer for choice, _, answer in answers(_candidates(7), LAYER, backend)}  # type: ignore[arg-type]
    assert sorted(backend.built) == list(range(7))
    assert found[(2,)].error == "does not compile"
    assert {choice[0]: answer.seconds for choice, answer in found.items() if answer.error is None} == {
        number: (float(number),) for number in (0, 1, 3, 4, 5, 6)
    }


def test_one_lane_keeps_the_order() -> None:
    order = [choice[0] for choice, _, _ in answers(_candidates(5), LAYER, _Backend(1))]  # type: ignore[arg-type]
    assert order == list(range(5))


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_caller_that_has_heard_enough(lanes: int) -> None:
    backend = _Backend(lanes, ends_at=-1)
    with closing(answers(_candidates(40), LAYER, backend)) as answered:  # type: ignore[arg-type]
        next(answered)
    assert len(backend.built) < 40


@pytest.mark.parametrize("lanes", [1, 2])
def test_the_end_of_all_boards_ends_it(lanes: int) -> None:
    backend = _Backend(lanes, ends_at=3)
    with pytest.raises(UserError, match="no board is left"):
        list(answers(_candidates(8), LAYER, backend))  # type: ignore[arg-type]
