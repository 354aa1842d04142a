"""The ``models`` request: what the zoo has and what it costs."""

from __future__ import annotations

from typing import Any

from frontend import zoo
from frontend.cost import Cost, cost_of
from mobilenet_tvm.base.protocol import Emit


def models(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Answer a ``models`` request: every model in one line each or, with ``name``, that one in full.

    With ``layers`` each line has its model's layer table too.

    :raises UserError: no model has that name.
    """
    if request.get("name"):
        entry = zoo.find(request["name"])
        return {**_summary(entry, cost_of(entry)), **cost_of(entry).to_json()}
    entries = [(_summary(entry, cost_of(entry)), cost_of(entry)) for entry in zoo.entries()]
    if request.get("layers"):
        return {"models": [{**summary, "layers": cost.to_json()["layers"]} for summary, cost in entries]}
    return {"models": [summary for summary, _ in entries]}


def _summary(entry: zoo.ZooEntry, cost: Cost) -> dict[str, Any]:
    return {
        "name": entry.name,
        "parameters": cost.parameters,
        "mult_adds": cost.mult_adds,
        "resolution": entry.resolution,
        "imagenet": entry.imagenet is not None,
    }
