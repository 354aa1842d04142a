"""The zoo's models, answered in this process."""

from __future__ import annotations

from frontend.models import models
from mobilenet_tvm.base.jobs import ModelsJob


def test_one_name_is_answered_in_full() -> None:
    (model,) = models(ModelsJob(name="mobilenet_v3_small_1.0_224")).models
    assert model.name == "mobilenet_v3_small_1.0_224"
    assert sum(layer.mult_adds for layer in model.layers) == model.mult_adds
    assert {layer.kind for layer in model.layers} == {
        "conv2d", "pointwise", "depthwise", "dense", "pool", "add", "mul",
    }  # fmt: skip
    assert [share.kind for share in model.shares] == ["pointwise", "depthwise", "conv2d", "dense"]
    assert model.separable_blocks[0].formula == "1/16 + 1/3^2"
