"""The ``models`` request, answered in this process."""

from __future__ import annotations

from typing import Any

from frontend.models import models


def test_one_name_is_answered_in_full(events: Any) -> None:
    answer = models({"name": "mobilenet_v3_small_1.0_224"}, events)
    assert answer["name"] == "mobilenet_v3_small_1.0_224"
    assert sum(layer["mult_adds"] for layer in answer["layers"]) == answer["mult_adds"]
    assert {layer["kind"] for layer in answer["layers"]} == {
        "conv2d", "pointwise", "depthwise", "dense", "pool", "add", "mul",
    }  # fmt: skip
    assert [share["kind"] for share in answer["shares"]] == ["pointwise", "depthwise", "conv2d", "dense"]
    assert answer["separable_blocks"][0]["formula"] == "1/16 + 1/3^2"
