"""The zoo."""

from __future__ import annotations

from typing import overload

import targets as target_presets
from mobilenet_tvm.base.answers import ModelCost, ModelSummary
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.model import zoo
from mobilenet_tvm.model.coverage import Coverage, coverage, log_folders


class ListedModel(ModelSummary):
    """A model of the zoo in one line.

    :ivar logs: target -> dtype -> share of the convolutions and dense layers that its logs know.
    """

    logs: Coverage


class DescribedModel(ModelCost):
    """A model of the zoo in full.

    :ivar logs: target -> dtype -> share of the convolutions and dense layers that its logs know.
    """

    logs: Coverage


@overload
def models(name: None = None, *, on_event: OnEvent = warn_only) -> list[ListedModel]: ...
@overload
def models(name: str, *, on_event: OnEvent = warn_only) -> DescribedModel: ...
def models(name: str | None = None, *, on_event: OnEvent = warn_only) -> list[ListedModel] | DescribedModel:
    """The models of the zoo, or one in full.

    :returns: ``schemas/models.json``: per model its parameters, Mult-Adds and what share of its layers each target's
        logs cover; with ``name`` ``schemas/model.json``: its layer table, shares by kind of layer, separable blocks.
    :raises UserError: no model has that name (the nearest is offered), or torch is not installed.
    """
    presets, folders = list(target_presets.available().values()), log_folders(None)
    known = [(model, coverage(model.layers, folders, presets)) for model in zoo.models(name, on_event)]
    if name is not None:
        ((model, logs),) = known
        return DescribedModel(**model, logs=logs)
    return [ListedModel(**ModelSummary.of(model), logs=logs) for model, logs in known]
