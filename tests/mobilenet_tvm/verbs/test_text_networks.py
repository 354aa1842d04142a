"""rapidocr's direction classifier, a MobileNetV3, and its recogniser: PaddlePaddle's files, as users bring them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mobilenet_tvm
import targets
from mobilenet_tvm.base.paths import package_folder

ROWS, COLUMNS = slice(65, 85), slice(20, 100)
"""A line of the page, as many times longer than high as the classifier's input."""


def _network(name: str) -> Path:
    """The file in the wheel, of which nothing is imported (requirements-data.lock)."""
    return package_folder("rapidocr") / "models" / name


def _pixels(line: np.ndarray) -> np.ndarray:
    """``[1, 3, 48, 192]`` from -1 to 1, as PaddleOCR's preprocessing makes them."""
    gray = np.asarray(Image.fromarray(line).resize((192, 48)), np.float32)
    return np.repeat(((gray / 255 - 0.5) / 0.5)[None, None], 3, axis=1)


@pytest.mark.parametrize(
    ("target", "dtype", "error"), [("x86-64-v3", "float32", 1e-5), ("x86-64-v4-bf16", "bfloat16", 0.5)]
)
def test_direction_classifier(target: str, dtype: str, error: float, tmp_path: Path) -> None:
    """Its shape is given by ``--shape``; a line turned by 180 degrees is of the other class. Noise is of neither: there
    both outputs are nearly 0.5, and what bfloat16 takes from them is much of their range."""
    if lacking := targets.load(target).missing_here():
        pytest.skip(f"this CPU has no {', '.join(lacking)}")
    network, shape = _network("ch_ppocr_mobile_v2.0_cls_mobile.onnx"), {"x": (1, 3, 48, 192)}
    mobilenet_tvm.compile(network, target, tmp_path / "package", shape=shape, dtype=dtype, check=False)
    assert mobilenet_tvm.verify(tmp_path / "package").relative_err <= error
    line = np.asarray(Image.open(package_folder("skimage") / "data" / "page.png").convert("L"))[ROWS, COLUMNS]
    for number, pixels in enumerate((line, np.ascontiguousarray(line[::-1, ::-1]))):
        result = mobilenet_tvm.run(tmp_path / "package", inputs={"x": _pixels(pixels)}, save=tmp_path)
        (output,) = result.results[0].outputs or ()
        assert np.load(tmp_path / output.file)[0, number] > 0.99


def test_recogniser(tmp_path: Path) -> None:
    network = _network("PP-OCRv6_rec_small.onnx")
    mobilenet_tvm.compile(network, "x86-64-v3", tmp_path / "package", shape={"x": (1, 3, 48, 320)}, check=False)
    assert mobilenet_tvm.verify(tmp_path / "package").relative_err <= 2e-5
