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
from tvm_pipeline.backends.backend import Answer, BuildFailed, answers, ask

LAYER = Layer.parse("pointwise 14x14x64->64 bias relu")
WAIT = 10.0


class _Backend:
    """Candidates are numbers; with several lanes a run waits until as many run at once."""

    conditions, is_repeatable = None, False

    def __init__(
        self, lanes: int, broken: frozenset[int] = frozenset(), ends_at: int | None = None, overlaps: bool = False
    ) -> None:
        self.lanes, self.overlaps = lanes, overlaps
        self._broken, self._ends_at = broken, ends_at
        self._together = threading.Barrier(lanes)
        self.built: list[int] = []
        self.ran: list[int] = []

    def build(self, schedule: Any) -> Path:
        self.built.append(schedule)
        if schedule in self._broken:
            raise BuildFailed("does not compile")
        return Path(str(schedule))

    def run(self, artifact: Path, layer: Layer) -> Answer:
        assert layer == LAYER
        number = int(artifact.name)
        if number == self._ends_at:
            raise UserError("no board is left")
        if self._ends_at is None:
            self._together.wait(WAIT)
        time.sleep(0.02)
        self.ran.append(number)
        return Answer((float(number),))


def _candidates(count: int) -> list[Any]:
    return [((number,), number) for number in range(count)]


@pytest.mark.parametrize(("lanes", "overlaps"), [(1, False), (1, True), (3, False)])
def test_everyone_is_answered_once(lanes: int, overlaps: bool) -> None:
    backend = _Backend(lanes, broken=frozenset({2}), overlaps=overlaps)
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


def test_a_single_candidate_is_built_and_run() -> None:
    backend: Any = _Backend(1, broken=frozenset({2}))
    assert ask(backend, 1, LAYER) == Answer((1.0,))  # type: ignore[arg-type]
    assert ask(backend, 2, LAYER) == Answer(error="does not compile")  # type: ignore[arg-type]
