"""What the zoo has and what it costs."""

from __future__ import annotations

from frontend import zoo
from frontend.cost import cost_of
from mobilenet_tvm.base.answers import ModelCost, Zoo
from mobilenet_tvm.base.jobs import ModelsJob


def models(job: ModelsJob) -> Zoo:
    """Every model in full or, with ``name``, that one.

    :raises UserError: no model has that name.
    """
    entries = zoo.entries() if job.name is None else (zoo.find(job.name),)
    return Zoo(models=tuple(_in_full(entry) for entry in entries))


def _in_full(entry: zoo.ZooEntry) -> ModelCost:
    cost = cost_of(entry)
    return ModelCost(
        name=entry.name,
        parameters=cost.parameters,
        mult_adds=cost.mult_adds,
        resolution=entry.resolution,
        imagenet=entry.imagenet is not None,
        layers=cost.layers,
        shares=cost.shares,
        separable_blocks=cost.separable_blocks,
    )
