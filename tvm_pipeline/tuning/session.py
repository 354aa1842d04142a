"""A tuning session: batches of candidates per layer until trials or seconds run out."""

import contextlib
import random
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tvm.s_tir import Schedule
from tvm.s_tir.schedule import ScheduleError

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.backends.answers import answers
from tvm_pipeline.backends.backend import Backend
from tvm_pipeline.backends.workers.run import RunAnswer
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules import Decisions, generator_for
from tvm_pipeline.schedules.space import Choice, Space, choice_of_trace
from tvm_pipeline.tuning.cost_model import CostModel
from tvm_pipeline.tuning.database import FAILED_SECONDS, TrialDatabase
from tvm_pipeline.tuning.events import Progress, Trial
from tvm_pipeline.tuning.search import LayerSearch

BATCH = 8
TRIALS_PER_LAYER = 32
FINALISTS = 3
FINAL_SHARE = 0.15
"""The part of ``seconds`` that is kept for measuring the fastest few of each layer again."""


@dataclass(frozen=True)
class Budget:
    """When to stop: ``trials`` in this session, ``seconds`` on the clock; None: no limit."""

    trials: int | None
    seconds: float | None


@dataclass(frozen=True)
class Best:
    """The outcome for one layer.

    :ivar rival_seconds: what the schedule for one thread takes with this session's threads; None where there is none.
    """

    layer: Layer
    decisions: Decisions
    seconds: float
    trials: int
    rival_seconds: float | None = None


class Session:
    """Tunes layers into a database. ``run`` ends early, with whole trials only, once ``interrupted`` is set."""

    def __init__(
        self,
        layers: Mapping[Layer, int],
        known: Mapping[Layer, Sequence[Decisions]],
        rivals: Mapping[Layer, Sequence[Decisions]],
        target: AnyTarget,
        threads: int,
        backend: Backend,
        directory: Path,
        on_trial: Callable[[Trial], None],
        on_progress: Callable[[Progress], None],
        warn: Callable[[str], None],
        interrupted: threading.Event,
    ) -> None:
        self._interrupted = interrupted
        self._counts = dict(layers)
        self._known = {layer: [*known.get(layer, ()), *rivals.get(layer, ())] for layer in layers}
        self._rivals = rivals
        self._backend = backend
        self._directory = directory
        self._on_trial, self._on_progress, self._warn = on_trial, on_progress, warn
        self._searches = {
            layer: LayerSearch(Space.of(layer, generator_for(layer, target.unit), target.unit)) for layer in layers
        }
        self._random = random.Random(0)
        self._database = TrialDatabase(directory, target.tvm, threads, warn)
        self._model = CostModel(target.tvm, threads)
        self._final: dict[Layer, dict[Choice, float]] = {}
        self.trials = 0
        self.noisy = 0
        self.reference_seconds: float | None = None

    def run(self, budget: Budget) -> None:
        """Searches until the budget is spent or all spaces are exhausted, then measures the finalists again."""
        started = time.monotonic()
        self._resume()
        with self._backend as backend:
            while not self._is_spent(budget, started):
                layer = self._next_layer(budget)
                if layer is None:
                    break
                self._batch(layer, budget, started, backend)
            if not backend.is_repeatable:
                self._finals(budget, started, backend)

    def best(self) -> list[Best]:
        """Per layer the fastest choice: of the finalists where they were measured again, else of all trials."""
        found = []
        for layer, search in self._searches.items():
            measured = self._final.get(layer) or search.measured
            if measured:
                choice = min(measured, key=lambda one: measured[one])
                rival = min((measured[one] for one in self._rival_choices(layer) if one in measured), default=None)
                found.append(Best(layer, search.space.decisions(choice), measured[choice], search.trials, rival))
        return found

    def _rival_choices(self, layer: Layer) -> list[Choice]:
        choices = (self._searches[layer].space.choice(one) for one in self._rivals.get(layer, ()))
        return [choice for choice in choices if choice is not None]

    @property
    def model_updates(self) -> int:
        """How often the cost model has learnt in this session."""
        return self._model.updates

    def save_model(self) -> None:
        """Writes the cost model beside the database."""
        self._model.save(self._directory / "cost_model.tar")

    def _resume(self) -> None:
        """Books what earlier sessions measured in the same folder, and teaches the model."""
        by_name = {str(layer): search for layer, search in self._searches.items()}
        for descriptor, trace, seconds in self._database.trials():
            search = by_name.get(descriptor)
            choice = choice_of_trace(trace, search.space) if search is not None else None
            if search is not None and choice is not None:
                median = statistics.median(seconds)
                search.record(choice, median if median < FAILED_SECONDS else None)
        for search in by_name.values():
            if search.measured:
                self._model.update(search.space, list(search.measured), list(search.measured.values()))

    def _is_spent(self, budget: Budget, started: float) -> bool:
        """Whether the search must end; where finalists are measured again, time is kept for that."""
        if self._interrupted.is_set():
            return True
        share = 1.0 if self._backend.is_repeatable else 1 - FINAL_SHARE
        out_of_time = budget.seconds is not None and time.monotonic() - started >= share * budget.seconds
        return out_of_time or (budget.trials is not None and self.trials >= budget.trials)

    def _next_layer(self, budget: Budget) -> Layer | None:
        """First layers with fewer than two batches, then the one whose time in the network is most likely to shrink."""
        unlimited = budget.trials is not None or budget.seconds is not None
        open_layers = [
            layer
            for layer, search in self._searches.items()
            if not search.is_exhausted and search.stale < 6 and (unlimited or search.trials < TRIALS_PER_LAYER)
        ]
        if not open_layers:
            return None
        return min(open_layers, key=self._urgency)

    def _urgency(self, layer: Layer) -> tuple[int, float]:
        search = self._searches[layer]
        rounds = search.trials // BATCH
        best = search.best
        share = self._counts[layer] * (best[1] if best else 1.0)
        return min(rounds, 2), -share / (1 + rounds) / (1 + search.stale)

    def _batch(self, layer: Layer, budget: Budget, started: float, backend: Backend) -> None:
        search = self._searches[layer]
        count = BATCH if budget.trials is None else min(BATCH, budget.trials - self.trials)
        choices = search.propose(
            count, lambda pool: self._model.score(search.space, pool), self._random, self._known[layer]
        )
        if not choices:
            search.stale = 6
            return
        before = search.best
        measured: dict[Choice, float] = {}
        schedules = [(choice, self._schedule(search, choice)) for choice in choices]
        ready = [(choice, schedule) for choice, schedule in schedules if schedule is not None]
        with contextlib.closing(answers(ready, layer, backend)) as answered:
            for choice, schedule, answer in answered:
                seconds = self._book(layer, choice, schedule, answer)
                if seconds is not None:
                    measured[choice] = seconds
                self._tell(budget, started, str(layer))
                if self._is_spent(budget, started):
                    break
        if measured:
            self._model.update(search.space, list(measured), list(measured.values()))
        improved = before is None or (search.best is not None and search.best[1] < 0.99 * before[1])
        search.stale = 0 if improved else search.stale + 1

    def _schedule(self, search: LayerSearch, choice: Choice) -> Schedule | None:
        try:
            return search.space.schedule(choice)
        except (ScheduleError, ValueError):
            search.failed.add(choice)
            return None

    def _book(self, layer: Layer, choice: Choice, schedule: Schedule, answer: RunAnswer) -> float | None:
        """Puts a trial on disk, then into the search; returns its median seconds."""
        search = self._searches[layer]
        seconds = statistics.median(answer.seconds) if answer.seconds else None
        if not answer.lost:  # else nothing is known about the candidate, which may come again
            self._database.add(str(layer), search.space.module(), schedule, list(answer.seconds) or None)
            search.record(choice, seconds)
        self.trials += 1
        if seconds is not None:
            self.noisy += not answer.clean
            known = (self.reference_seconds, answer.reference_seconds)
            self.reference_seconds = min((one for one in known if one is not None), default=None)
        best = search.best
        self._on_trial(Trial(self.trials, str(layer), seconds, answer.error, best[1] if best else None))
        return seconds

    def _tell(self, budget: Budget, started: float, detail: str) -> None:
        total = budget.trials if budget.trials is not None else None
        if total is None and budget.seconds is None:
            total = sum(min(TRIALS_PER_LAYER, search.space.size) for search in self._searches.values())
        self._on_progress(Progress(self.trials, total, time.monotonic() - started, detail))

    def _finals(self, budget: Budget, started: float, backend: Backend) -> None:
        """Measures the fastest few of each layer again, in turns, so that no lucky moment decides."""
        weighty = sorted(
            self._searches.items(), key=lambda item: -self._counts[item[0]] * (item[1].best or (0, 0.0))[1]
        )
        for layer, search in weighty:
            if self._interrupted.is_set() or (
                budget.seconds is not None and time.monotonic() - started >= budget.seconds
            ):
                return
            fastest = sorted(search.measured, key=lambda choice: search.measured[choice])[:FINALISTS]
            rivals = [one for one in self._rival_choices(layer) if one in search.measured]
            self._final_round(layer, list(dict.fromkeys([*fastest, *rivals])), backend)

    def _final_round(self, layer: Layer, finalists: list[Choice], backend: Backend) -> None:
        times: dict[Choice, list[float]] = {choice: [] for choice in finalists}
        for _ in range(2):
            for choice in finalists:
                artifact, error = backend.build(self._searches[layer].space.schedule(choice))
                answer = backend.run(artifact, layer) if error is None else None
                if answer is not None and answer.seconds:
                    times[choice].append(statistics.median(answer.seconds))
        measured = {choice: min(seconds) for choice, seconds in times.items() if seconds}
        if measured:
            self._final[layer] = measured
