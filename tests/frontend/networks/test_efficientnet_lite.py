"""EfficientNet-Lite0 against the published checkpoint and figures."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from skimage import data as photographs
from torch import nn

from frontend import checkpoints, zoo
from frontend.cost import cost_of
from mobilenet_tvm.model.preprocessing import preprocess


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    entry = zoo.find("efficientnet_lite0")
    module = entry.module().eval()
    checkpoints.load_imagenet(module, entry)
    return module


def test_it_is_as_large_as_published(trained: nn.Module) -> None:
    """4.7 M parameters, batch normalisation among them (tensorflow/tpu, efficientnet/lite/README.md)."""
    assert sum(parameter.numel() for parameter in trained.parameters()) == 4_652_008
    cost = cost_of(zoo.find("efficientnet_lite0"))
    assert round(cost.mult_adds / 1e6) == 385
    assert [layer.kernel for layer in cost.layers if layer.kind == "depthwise"].count((5, 5)) == 9
    assert sum(layer.kind == "add" for layer in cost.layers) == 9


@pytest.mark.parametrize(
    ("photograph", "classes"),
    [("chelsea", {281, 282, 285}), ("coffee", {967}), ("camera", {872})],
)
def test_it_classifies_photographs(photograph: str, classes: set[int], trained: nn.Module) -> None:
    """A tabby, tiger or Egyptian cat; espresso; a tripod."""
    plan = zoo.find("efficientnet_lite0").preprocessing
    image = torch.from_numpy(preprocess(Image.fromarray(getattr(photographs, photograph)()), plan))
    assert -127 / 128 - 1e-6 <= image.min() < image.max() <= 1 + 1e-6
    with torch.inference_mode():
        assert int(trained(image).argmax()) in classes
