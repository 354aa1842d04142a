"""A tuning session: batches of candidates per layer until trials or seconds run out."""

import contextlib
import random
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import ScheduleError

from mobilenet_tvm.base.events import Progress, Trial
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.backend import Answer, Backend, answers, ask
from tvm_pipeline.schedules import Decisions
from tvm_pipeline.schedules.space import Choice, Space, choice_of_trace
from tvm_pipeline.tuning.allocation import (
    BATCH,
    PATIENCE,
    TRIALS_PER_LAYER,
    first_unfinished,
    next_layer,
    trials_left,
)
from tvm_pipeline.tuning.cost_model import CostModel
from tvm_pipeline.tuning.database import TrialDatabase
from tvm_pipeline.tuning.listener import Listener
from tvm_pipeline.tuning.search import LayerSearch, fastest
from tvm_pipeline.tuning.task import Best, Budget, Task, default_of

FINALISTS = 3
FINAL_ROUNDS = 2
FINAL_SHARE = 0.15
"""The part of ``seconds`` that is kept for measuring the fastest few of each layer again."""
GAIN = 0.99
"""A batch has gained where the layer's best time has become so many times as long, or shorter."""


class Session:
    """Tunes a task's layers into a database. ``run`` ends early, with whole trials only, once the listener says so.

    :ivar model: what has been learnt.
    :ivar trials: in this session.
    :ivar noisy: trials that found the machine busy.
    :ivar reference_seconds: the reference kernel's shortest time; None where nothing was measured.
    """

    def __init__(
        self, task: Task, budget: Budget, backend: Backend, database: TrialDatabase, listener: Listener
    ) -> None:
        self._task, self._budget, self._backend = task, budget, backend
        self._database, self._listener = database, listener
        unit = task.target.unit
        self._searches = {layer: LayerSearch(Space.of(layer, unit)) for layer in task.calls}
        self.model = CostModel(task.target, task.threads)
        self._random = random.Random(0)
        self._final: dict[Layer, dict[Choice, float]] = {}
        self._started = 0.0
        self.trials = 0
        self.noisy = 0
        self.reference_seconds: float | None = None

    def run(self) -> None:
        """Searches until the budget is spent or all spaces are exhausted, then measures the finalists again."""
        self._started = time.monotonic()
        self._resume()
        with self._backend:
            while not self._is_spent():
                layer = self._next_layer()
                if layer is None:
                    break
                self._batch(layer)
                if self._budget.is_by_layer and not trials_left(self._searches[layer]):
                    self._finish(layer)
            if not (self._backend.is_repeatable or self._budget.is_by_layer or self._budget.trials == 0):
                self._finals()

    def _next_layer(self) -> Layer | None:
        if self._budget.is_by_layer:
            return first_unfinished(self._searches, self._task.tuned)
        return next_layer(self._searches, self._task.calls, is_limited=self._budget.is_limited)

    def _finish(self, layer: Layer) -> None:
        """Measures a layer's fastest few again, so that its outcome stands before the next one begins."""
        if not self._backend.is_repeatable:
            self._final_round(layer, self._finalists(layer))
        self._listener.improve(self.best(), self.reference_seconds)

    def finalists(self, layer: Layer) -> list[Decisions]:
        """What is worth timing inside a network, the best first; at least the default."""
        search = self._searches.get(layer)
        known = self._task.first_choices(layer)
        if search is None or not search.measured:
            return known or [default_of(layer, self._task.target)]
        measured = self._final.get(layer) or search.measured
        best, *others = (search.space.decisions(choice) for choice in fastest(measured, FINALISTS))
        return [best, *known, *others]

    def best(self) -> list[Best]:
        """Per layer the fastest choice: of the finalists where they were measured again, else of all trials."""
        bests = []
        for layer, search in self._searches.items():
            measured = self._final.get(layer) or search.measured
            if measured:
                (choice,) = fastest(measured, 1)
                rival = self._rival(layer)
                rival_seconds = measured.get(rival) if rival is not None else None
                decisions = search.space.decisions(choice)
                elsewhere = tuple(self._elsewhere(layer, measured))
                bests.append(Best(layer, decisions, measured[choice], search.trials, rival_seconds, elsewhere))
        return bests

    def _elsewhere(self, layer: Layer, measured: Mapping[Choice, float]) -> Iterator[tuple[Decisions, float]]:
        """The choices of other CPUs that were measured here."""
        for decisions in self._task.elsewhere.get(layer, ()):
            choice = self._searches[layer].space.choice(decisions)
            if choice is not None and choice in measured:
                yield decisions, measured[choice]

    def _rival(self, layer: Layer) -> Choice | None:
        decisions = self._task.rivals.get(layer)
        return self._searches[layer].space.choice(decisions) if decisions is not None else None

    def _resume(self) -> None:
        """Books what earlier sessions measured into the same database, and teaches the model."""
        by_name = {str(layer): search for layer, search in self._searches.items()}
        for descriptor, trace, seconds in self._database.trials():
            search = by_name.get(descriptor)
            choice = choice_of_trace(trace, search.space) if search is not None else None
            if search is not None and choice is not None:
                search.record(choice, statistics.median(seconds) if seconds is not None else None)
        for search in by_name.values():
            self.model.update(search.space, search.measured)

    def _is_spent(self) -> bool:
        """Whether the search must end; where finalists are measured again, time is kept for that."""
        share = 1.0 if self._backend.is_repeatable else 1 - FINAL_SHARE
        enough = self._budget.trials is not None and self.trials >= self._budget.trials
        return enough or self._must_end(share)

    def _must_end(self, share: float = 1.0) -> bool:
        """Whether this share of the time is over, or the user has asked for the end."""
        limit = self._budget.seconds
        return self._listener.is_interrupted or (limit is not None and self._elapsed() >= share * limit)

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _batch(self, layer: Layer) -> None:
        search = self._searches[layer]
        count = BATCH if self._budget.trials is None else min(BATCH, self._budget.trials - self.trials)
        known = self._task.first_choices(layer)
        choices = search.propose(count, lambda pool: self.model.score(search.space, pool), self._random, known)
        if not choices:
            search.stale = PATIENCE
            return
        before = search.best
        self.model.update(search.space, self._measure(layer, choices))
        has_gained = before is None or (search.best is not None and search.best[1] < GAIN * before[1])
        search.stale = 0 if has_gained else search.stale + 1

    def _measure(self, layer: Layer, choices: Sequence[Choice]) -> dict[Choice, float]:
        """Tries a layer's choices until the budget is spent; seconds of those that work."""
        search = self._searches[layer]
        schedules = [(choice, self._schedule(search, choice)) for choice in choices]
        candidates = [(choice, schedule) for choice, schedule in schedules if schedule is not None]
        measured: dict[Choice, float] = {}
        with contextlib.closing(answers(candidates, layer, self._backend)) as answered:
            for choice, schedule, answer in answered:
                seconds = self._book(layer, choice, schedule, answer)
                if seconds is not None:
                    measured[choice] = seconds
                self._tell_progress(str(layer))
                if self._is_spent():
                    break
        return measured

    def _schedule(self, search: LayerSearch, choice: Choice) -> Schedule | None:
        try:
            return search.space.schedule(choice)
        except (ScheduleError, ValueError):
            search.failed.add(choice)
            return None

    def _book(self, layer: Layer, choice: Choice, schedule: Schedule, answer: Answer) -> float | None:
        """Puts a trial on disk, then into the search; returns its median seconds."""
        search = self._searches[layer]
        seconds = statistics.median(answer.seconds) if answer.seconds else None
        if not answer.lost:  # else nothing is known about the candidate, which may come again
            self._database.add(str(layer), search.space.module(), schedule, answer.seconds)
            search.record(choice, seconds)
        self.trials += 1
        if seconds is not None:
            self.noisy += not answer.clean
            references = (self.reference_seconds, answer.reference_seconds)
            self.reference_seconds = min((time for time in references if time is not None), default=None)
        best = search.best[1] if search.best else None
        self._listener.tell(Trial(trial=self.trials, layer=str(layer), seconds=seconds, error=answer.error, best=best))
        if seconds is not None and seconds == best:
            self._listener.improve(self.best(), self.reference_seconds)
        return seconds

    def _tell_progress(self, detail: str) -> None:
        """There is no total where the clock ends the session."""
        total = self._budget.trials
        if not self._budget.is_limited:
            total = sum(min(TRIALS_PER_LAYER, search.space.size) for search in self._searches.values())
        if self._budget.is_by_layer:
            detail = f"{detail} ({self._left()})"
        self._listener.tell(
            Progress(stage="tuning", done=self.trials, total=total, elapsed=self._elapsed(), detail=detail)
        )

    def _left(self) -> str:
        """How many layers, and minutes at the pace so far, are left."""
        left = [count for search in self._searches.values() if (count := trials_left(search))]
        minutes = sum(left) * self._elapsed() / max(1, self.trials) / 60
        return f"{len(left)} layers left, about {minutes:.0f} min"

    def _finals(self) -> None:
        """Measures the fastest few of each layer again, in turns, so that no lucky moment decides."""

        def time_in_network(layer: Layer) -> float:
            best = self._searches[layer].best
            return self._task.calls[layer] * best[1] if best else 0.0

        for layer in sorted(self._searches, key=time_in_network, reverse=True):
            if self._must_end():
                return
            self._final_round(layer, self._finalists(layer))

    def _finalists(self, layer: Layer) -> list[Choice]:
        """The fastest few, and what they are to be compared with."""
        search = self._searches[layer]
        others = [search.space.choice(decisions) for decisions in self._task.elsewhere.get(layer, ())]
        compared = [choice for choice in (self._rival(layer), *others) if choice in search.measured]
        return list(dict.fromkeys([*fastest(search.measured, FINALISTS), *compared]))

    def _final_round(self, layer: Layer, finalists: Sequence[Choice]) -> None:
        times: dict[Choice, list[float]] = {choice: [] for choice in finalists}
        for _ in range(FINAL_ROUNDS):
            for choice in finalists:
                answer = ask(self._backend, self._searches[layer].space.schedule(choice), layer)
                if answer.seconds:
                    times[choice].append(statistics.median(answer.seconds))
        measured = {choice: min(seconds) for choice, seconds in times.items() if seconds}
        if measured:
            self._final[layer] = measured
