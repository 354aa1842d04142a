"""The zoo."""

from __future__ import annotations

from typing import Any

import targets as target_presets
from mobilenet_tvm.base.events import OnEvent, warn_only
from mobilenet_tvm.model import zoo
from mobilenet_tvm.model.coverage import coverage, log_folders


def models(name: str | None = None, *, on_event: OnEvent = warn_only) -> list[dict[str, Any]] | dict[str, Any]:
    """The models of the zoo, or one in full.

    :returns: ``schemas/models.json``: per model its parameters, Mult-Adds and what share of its layers each target's
        logs cover; with ``name`` ``schemas/model.json``: its layer table, shares by kind of layer, separable blocks.
    :raises UserError: no model has that name (the nearest is offered), or torch is not installed.
    """
    presets = list(target_presets.available().values())
    folders = log_folders(None)
    if name is not None:
        found = zoo.details(name, on_event)
        return {**found, "logs": coverage(found["layers"], folders, presets)}
    return [
        {
            **{key: value for key, value in model.items() if key != "layers"},
            "logs": coverage(model["layers"], folders, presets),
        }
        for model in zoo.summaries(on_event)
    ]
