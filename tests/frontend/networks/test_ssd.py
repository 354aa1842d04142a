"""SSD on MobileNetV1 and V2: what the papers say of their size, and outputs that live."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from frontend import zoo
from frontend.cost import cost_of, cost_of_module
from frontend.random_weights import make_alive


def test_ssd_costs_what_the_papers_table_says() -> None:
    """Table 13 of arXiv 1704.04861: 1.2 billion Mult-Adds, 6.8 million parameters."""
    cost = cost_of(zoo.find("ssd_mobilenet_v1"))
    assert round(cost.mult_adds / 1e9, 1) == 1.2
    assert round(cost.parameters / 1e6, 1) == 6.8


def test_ssdlite_costs_what_the_papers_table_says() -> None:
    """Table 6 of arXiv 1801.04381: 0.8 billion Mult-Adds, 4.3 million parameters, which is with COCO's 80 classes."""
    module = zoo.find("ssdlite_mobilenet_v2").module(classes=80)
    cost = cost_of_module(module, (3, 320, 320))
    assert round(cost.mult_adds / 1e9, 1) == 0.8
    assert round(cost.parameters / 1e6, 1) == 4.3


def relative(left: torch.Tensor, right: torch.Tensor) -> float:
    return float((left - right).abs().max() / (left.max() - left.min()))


@pytest.mark.parametrize(
    ("name", "anchors", "classes"),
    [("ssd_mobilenet_v1", 1917, 90), ("ssdlite_mobilenet_v2", 2034, 90), ("mobilenet_v1_ssd_face", 5118, 1)],
)
@torch.inference_mode()
def test_outputs_depend_on_the_image_and_on_every_feature_map(name: str, anchors: int, classes: int) -> None:
    entry = zoo.find(name)
    module, side = entry.module().eval(), entry.resolution
    make_alive(module, name, (3, side, side))
    generator = torch.Generator().manual_seed(3)
    first, second = (module(torch.randn(1, 3, side, side, generator=generator)) for _ in range(2))
    assert first.boxes.shape == (1, anchors, 4)
    assert first.scores.shape == (1, anchors, classes)
    assert min(relative(*pair) for pair in zip(first, second, strict=True)) > 0.05
    assert bool((first.boxes[..., 2:] > first.boxes[..., :2]).all())
    assert 0 <= float(first.scores.min()) < 0.3 < 0.7 < float(first.scores.max()) <= 1
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(3))
    for stage in module.stages:
        last = [layer for layer in stage.modules() if isinstance(layer, nn.Conv2d)][-1]
        kept = last.weight.clone()
        last.weight.zero_()
        assert relative(first.scores, module(image).scores) > 1e-3
        last.weight.copy_(kept)
