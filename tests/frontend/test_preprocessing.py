"""What the manifest says about images."""

from __future__ import annotations

import pytest

from frontend.preprocessing import standard


@pytest.mark.parametrize(("resolution", "resize"), [(224, 256), (192, 219), (160, 183), (128, 146)])
def test_the_crop_is_the_same_part_of_the_image_at_every_resolution(resolution: int, resize: int) -> None:
    assert standard(resolution).to_json() == {
        "resize": resize,
        "crop": resolution,
        "interpolation": "bilinear",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "channel_order": "RGB",
        "scale": 0.00392156862745098,
    }
