"""How images become inputs, as a manifest says it."""

from __future__ import annotations

import pytest
from msgspec import ValidationError

from mobilenet_tvm.base.preprocessing import Preprocessing


@pytest.mark.parametrize(("resolution", "resize"), [(224, 256), (192, 219), (160, 183), (128, 146)])
def test_the_crop_is_the_same_part_of_the_image_at_every_resolution(resolution: int, resize: int) -> None:
    assert Preprocessing.default_for(resolution).to_json() == {
        "resize": resize,
        "crop": resolution,
        "interpolation": "bilinear",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "channel_order": "RGB",
        "scale": 0.00392156862745098,
    }


def test_json_round_trip() -> None:
    steps = Preprocessing.default_for(160)
    assert Preprocessing.from_json(steps.to_json()) == steps


@pytest.mark.parametrize(
    "change",
    [
        {"resize": None}, {"crop": 300}, {"crop": 0}, {"mean": [1, 2]}, {"std": [1, 0, 1]}, {"std": "abc"},
        {"interpolation": "bicubic"}, {"channel_order": "BGR"}, {"mean": [1, 2, 3, 4]},
    ],
)  # fmt: skip
def test_what_is_no_preprocessing(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Preprocessing.from_json({**Preprocessing.default_for(224).to_json(), **change})
