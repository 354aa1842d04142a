"""The targets."""

from __future__ import annotations

from typing import Any

import targets as presets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import OnEvent, warn_only, warning
from mobilenet_tvm.model import zoo
from mobilenet_tvm.model.coverage import coverage, log_folders
from targets import Target


def _describe(target: Target, layers: list[dict[str, Any]] | None) -> dict[str, Any]:
    missing = target.missing_here()
    covered = coverage(layers, log_folders(None), [target])[target.name] if layers is not None else None
    return {**target.to_json(), "runs_here": not missing, "missing_here": missing, "coverage": covered}


def targets(name: str | None = None, *, on_event: OnEvent = warn_only) -> list[dict[str, Any]] | dict[str, Any]:
    """The presets, or one target.

    :param name: a preset, an alias, ``native`` or a ``.toml`` file.
    :returns: ``schemas/targets.json``, or with ``name`` ``schemas/target.json``; ``coverage`` is the share of the
        zoo's layers that its logs know, by dtype (None without torch, which the zoo needs).
    :raises UserError: no target is called so; the nearest right name is offered.
    """
    chosen = presets.load(name) if name is not None else None
    layers = None
    try:
        layers = [layer for model in zoo.summaries(on_event) for layer in model["layers"]]
    except UserError as error:
        warning(on_event, f"how much of the zoo the logs cover is not known: {error}")
    if chosen is not None:
        return _describe(chosen, layers)
    return [_describe(target, layers) for target in presets.available().values()]
