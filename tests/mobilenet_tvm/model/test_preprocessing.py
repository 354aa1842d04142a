from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.model.preprocessing import preprocess


def test_definition() -> None:
    """On an image that needs no resizing the numbers are the formula's."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    spec = Preprocessing(resize=8, crop=4)
    x = preprocess(Image.fromarray(pixels), spec)
    assert x.shape == (1, 3, 4, 4) and x.dtype == np.float32 and x.flags.c_contiguous
    wanted = (pixels[2:6, 2:6] / 255 - spec.mean) / spec.std
    np.testing.assert_allclose(x[0].transpose(1, 2, 0), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "corner"),
    [((8, 9), (0, 0)), ((8, 11), (0, 2)), ((9, 8), (0, 0)), ((11, 8), (2, 0))],
)
def test_crop_rounds_halves_to_even_as_torchvision_does(size: tuple[int, int], corner: tuple[int, int]) -> None:
    """Margins of 1 and 3 pixels: round(0.5) is 0 and round(1.5) is 2."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    spec = Preprocessing(resize=8, crop=8, mean=(0, 0, 0), std=(1, 1, 1), scale=1.0)
    left, top = corner
    np.testing.assert_array_equal(
        preprocess(Image.fromarray(pixels), spec)[0].transpose(1, 2, 0), pixels[top : top + 8, left : left + 8]
    )


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16"])
def test_modes_become_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((40, 50), 0x80FF, np.uint16))
    else:
        image = Image.new("RGB", (50, 40), (0x80, 0x80, 0x80)).convert(mode)
    x = preprocess(image, Preprocessing(resize=36, crop=32, mean=(0, 0, 0), std=(1, 1, 1), scale=1.0))
    assert x.shape == (1, 3, 32, 32)
    tolerance = 8 if mode in ("1", "P") else 1  # those two are dithered
    assert np.abs(x.mean(axis=(2, 3)) - 0x80).max() <= tolerance


def test_user_mistakes(tmp_path: Path) -> None:
    spec = Preprocessing.default_for(224)
    with pytest.raises(UserError, match="no such file"):
        preprocess(tmp_path / "none.png", spec)
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(UserError, match=r"text.png: does not decode"):
        preprocess(tmp_path / "text.png", spec)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:1500])
    with pytest.raises(UserError, match=r"cut.jpg: does not decode"):
        preprocess(tmp_path / "cut.jpg", spec)
    with pytest.raises(UserError, match="300x1 is too narrow"):
        preprocess(Image.new("RGB", (300, 1)), spec)
