"""What a tuning run does with its time."""

import time
from dataclasses import dataclass

from mobilenet_tvm.base.requests import TuneOptions
from tvm_pipeline.tuning.task import Budget, Task

NETWORK_SHARE = 0.25
"""The part of ``seconds`` that is kept for timing kernels inside networks."""


@dataclass(frozen=True)
class Plan:
    """Which layers are searched and for how long; whether the finalists are then timed inside the networks.

    :ivar end: on the monotonic clock; None: whenever it is done.
    """

    task: Task
    budget: Budget
    judges: bool
    end: float | None

    @staticmethod
    def of(options: TuneOptions, task: Task, begin: float, *, networks: int, can_judge: bool) -> "Plan":
        """:param begin: of the run, on the monotonic clock.
        :param networks: how many; of several the layers are tuned one after another, the most valuable first.
        :param can_judge: whether kernels can be timed inside networks.
        """
        end = None if options.seconds is None else begin + options.seconds
        if options.finals_only:
            return Plan(task, Budget(trials=0), can_judge, end)
        left = None if end is None else max(0.0, end - time.monotonic()) * (1 - NETWORK_SHARE if can_judge else 1)
        budget = Budget(options.trials, left, is_by_layer=networks > 1)
        if budget.is_by_layer:
            return Plan(task.by_value(), budget, can_judge, end)
        chosen = task if budget.is_limited else task.without_known()
        return Plan(chosen, budget, can_judge and bool(chosen.calls), end)

    def is_over(self) -> bool:
        """Whether the time is over."""
        return self.end is not None and time.monotonic() >= self.end
