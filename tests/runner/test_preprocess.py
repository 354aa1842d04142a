"""Python's and C++'s preprocessing are one: equal bits, whatever the size of the image."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mobilenet_tvm.base.preprocessing import Preprocessing
from mobilenet_tvm.model.preprocessing import preprocess


@pytest.fixture(scope="module")
def dump(test_build: Path) -> Path:
    return test_build / "tests" / "preprocess-dump"


def in_cpp(dump: Path, image: Path, spec: Preprocessing) -> NDArray[np.float32]:
    numbers = [spec.resize, spec.crop, spec.scale, *spec.mean, *spec.std]
    done = subprocess.run([dump, image, *map(repr, numbers)], capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float32).reshape(1, 3, spec.crop, spec.crop)


def noise(width: int, height: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (2, 3), (256, 256), (224, 224), (257, 256), (256, 341), (451, 300), (600, 400), (512, 512), (1023, 771),
     (3, 700), (640, 3), (1920, 1080), (257, 258), (255, 999)],
)  # fmt: skip
@pytest.mark.parametrize("resolution", [224, 128])
def test_sizes(dump: Path, tmp_path: Path, width: int, height: int, resolution: int) -> None:
    path = tmp_path / "noise.ppm"
    noise(width, height, width * height).save(path)
    spec = Preprocessing.default_for(resolution)
    np.testing.assert_array_equal(in_cpp(dump, path, spec), preprocess(path, spec))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    resize=st.integers(1, 120),
    margin=st.integers(0, 60),
    seed=st.integers(0, 1000),
)
def test_any(dump: Path, tmp_path: Path, width: int, height: int, resize: int, margin: int, seed: int) -> None:
    path = tmp_path / "noise.png"
    noise(width, height, seed).save(path, compress_level=1)
    spec = Preprocessing(resize=resize, crop=max(1, resize - margin), mean=(0.1, 0.7, -3.0), std=(0.3, 2.0, 0.01))
    np.testing.assert_array_equal(in_cpp(dump, path, spec), preprocess(path, spec))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_png_of_every_kind(dump: Path, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    if mode == "I;16":
        values = np.random.default_rng(0).integers(0, 65536, (40, 50), dtype=np.uint16)
        Image.fromarray(values).save(path)
    else:
        noise(50, 40, 1).convert(mode).save(path)
    spec = Preprocessing(resize=36, crop=32)
    np.testing.assert_array_equal(in_cpp(dump, path, spec), preprocess(path, spec))


@pytest.mark.parametrize("name", ["rocket.jpg", "hubble_deep_field.jpg"])
def test_photographs_in_jpeg_are_close(dump: Path, name: str) -> None:
    """stb_image and libjpeg-turbo round the cosine transform and the colours differently: 1 to 3 steps of 255."""
    skimage = pytest.importorskip("skimage")
    path = Path(skimage.__file__).parent / "data" / name
    spec = Preprocessing(resize=256, crop=224, mean=(0, 0, 0), std=(1, 1, 1), scale=1.0)
    difference = np.abs(in_cpp(dump, path, spec) - preprocess(path, spec))
    print(name, "largest", difference.max(), "mean", difference.mean())
    assert difference.max() <= 6
    assert difference.mean() < 0.5
