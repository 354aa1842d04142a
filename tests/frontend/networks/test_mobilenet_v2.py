"""MobileNetV2 against torchvision's checkpoint and the published figures."""

from __future__ import annotations

import pytest
import torch
from skimage import data as photographs

from frontend import checkpoints, zoo
from frontend.cost import cost_of
from mobilenet_tvm.base.preprocessing import IMAGENET_MEAN, IMAGENET_STD

EGYPTIAN_CAT, ESPRESSO = 285, 967


@pytest.mark.parametrize(
    ("width", "mult_adds", "parameters"),
    [("1.4", 582, 6.06), ("1.0", 301, 3.47), ("0.75", 209, 2.61), ("0.5", 97, 1.95), ("0.35", 59, 1.66)],
)
def test_the_figures_that_the_authors_publish(width: str, mult_adds: int, parameters: float) -> None:
    """TF-slim's table of checkpoints (research/slim/nets/mobilenet/README.md); the paper rounds 300.8 M to 300."""
    cost = cost_of(zoo.find(f"mobilenet_v2_{width}_224"))
    assert round(cost.mult_adds / 1e6) == mult_adds
    assert round(cost.parameters / 1e6, 2) == parameters


def test_torchvision_counts_as_many_parameters() -> None:
    module = zoo.find("mobilenet_v2_1.0_224").module()
    assert sum(parameter.numel() for parameter in module.parameters()) == 3_504_872  # with batch normalisation


def test_the_real_checkpoint_loads_strictly_and_classifies_photographs() -> None:
    entry = zoo.find("mobilenet_v2_1.0_224")
    assert entry.imagenet is not None
    path = checkpoints.packaged_file(entry.imagenet)
    assert path is not None
    module = entry.module().eval()
    module.load_state_dict(torch.load(path, weights_only=True), strict=True)
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    for name, expected in (("chelsea", EGYPTIAN_CAT), ("coffee", ESPRESSO)):
        pixels = torch.from_numpy(getattr(photographs, name)()).permute(2, 0, 1).float()[None] / 255
        side = min(pixels.shape[2:])
        top, left = (pixels.shape[2] - side) // 2, (pixels.shape[3] - side) // 2
        crop = pixels[:, :, top : top + side, left : left + side]
        image = torch.nn.functional.interpolate(crop, (224, 224), mode="bilinear", antialias=True)
        with torch.inference_mode():
            assert int(module((image - mean) / std).argmax()) == expected


def test_there_is_no_expansion_in_the_first_block_and_a_shortcut_where_shapes_agree() -> None:
    layers = cost_of(zoo.find("mobilenet_v2_1.0_224")).layers
    assert sum(layer.kind == "add" for layer in layers) == 10
    assert sum(layer.kind == "depthwise" for layer in layers) == 17
    assert layers[1].kind == "depthwise"
    assert layers[1].groups == 32
