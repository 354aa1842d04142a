"""MetaSchedule's XGBoost cost model over the features of scheduled kernels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tvm.s_tir import Schedule
from tvm.s_tir import meta_schedule as ms
from tvm.s_tir.schedule import ScheduleError

from tvm_pipeline import skip_tensor_intrinsics
from tvm_pipeline.hardware.target import AnyTarget
from tvm_pipeline.schedules.space import Choice, Space

skip_tensor_intrinsics()

WARM_UP = 24
"""Trials before the model's opinion is asked."""


class CostModel:
    """Learns from every batch of all layers; predicts which choices of a layer are fast.

    :ivar updates: how often it has learnt.
    """

    def __init__(self, target: AnyTarget, cores: int) -> None:
        self._target = target.with_cores(cores)
        self._model = ms.cost_model.XGBModel(num_warmup_samples=WARM_UP, num_tuning_cores=1, verbose_eval=0)
        self._contexts: dict[str, ms.TuneContext] = {}
        self.updates = 0

    def _context(self, space: Space) -> ms.TuneContext:
        key = str(space.layer)
        if key not in self._contexts:
            self._contexts[key] = ms.TuneContext(space.module(), target=self._target, num_threads=1)
        return self._contexts[key]

    @staticmethod
    def _candidate(schedule: Schedule, space: Space) -> ms.MeasureCandidate:
        arguments = ms.arg_info.ArgInfo.from_entry_func(space.module(), remove_preproc=False)
        return ms.MeasureCandidate(schedule, arguments)

    def update(self, space: Space, measured: Mapping[Choice, float]) -> None:
        """Trains on measured choices and their seconds, if there are any."""
        if not measured:
            return
        candidates = [self._candidate(space.schedule(choice), space) for choice in measured]
        results = [ms.runner.RunnerResult([seconds], None) for seconds in measured.values()]
        self._model.update(self._context(space), candidates, results)
        self.updates += 1

    def score(self, space: Space, choices: Sequence[Choice]) -> Sequence[float] | None:
        """Higher is faster; None before the model has seen enough. A choice that cannot be scheduled scores lowest."""
        if self._model.data_size < WARM_UP:
            return None
        scores = np.full(len(choices), -np.inf)
        candidates, positions = [], []
        for position, choice in enumerate(choices):
            try:
                candidates.append(self._candidate(space.schedule(choice), space))
                positions.append(position)
            except (ScheduleError, ValueError):
                continue
        if candidates:
            scores[positions] = self._model.predict(self._context(space), candidates)
        return [float(score) for score in scores]

    def save(self, path: Path) -> None:
        """Writes the model and what it learnt from, so that another run can load it."""
        self._model.save(str(path))
