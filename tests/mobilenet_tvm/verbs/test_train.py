"""``train`` from a folder of images to a package that names its classes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

V1 = "mobilenet_v1_0.25_32"


def _write_images(folder: Path, count: int = 12) -> Path:
    """Dark and bright noise, a folder each."""
    random = np.random.default_rng(0)
    for name, base in (("bright", 170), ("dark", 0)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(base, base + 80, (30, 40, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return _write_images(tmp_path / "images")


def test_a_checkpoint_brings_its_classes_into_package_and_onnx(
    images: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    checkpoint, onnx, package = tmp_path / "noise.safetensors", tmp_path / "noise.onnx", tmp_path / "package"
    trained = json.loads(command("train", V1, "--data", images, "-o", checkpoint, "--epochs", 1, "--json").out)
    assert (trained["classes"], trained["images"], trained["epochs"]) == (["bright", "dark"], 24, 1)
    assert command("export", V1, "--weights", checkpoint, "-o", onnx).code == 0
    assert command("compile", onnx, "--target", "x86-64-v3", "-o", package).code == 0
    manifest = json.loads((package / "manifest.json").read_text())
    assert manifest["labels"] == ["bright", "dark"]
    assert (manifest["preprocessing"]["resize"], manifest["preprocessing"]["crop"]) == (37, 32)


def _without_images(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.unlink()


def _with_one_class(folder: Path) -> None:
    for path in (folder / "dark").iterdir():
        path.unlink()


def _with_few(folder: Path) -> None:
    for path in sorted((folder / "dark").iterdir())[9:]:
        path.unlink()


def _with_a_broken_one(folder: Path) -> None:
    (folder / "dark" / "3.png").write_bytes(b"no image")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_images, "holds no sub-folders with images"),
        (_with_one_class, "holds images of one class, bright"),
        (_with_few, "dark holds 9 images: a class needs at least 10"),
        (_with_a_broken_one, "3.png does not decode"),
    ],
)
def test_images_that_will_not_do(
    spoil: Callable[[Path], None], said: str, images: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    spoil(images)
    assert said in command("train", V1, "--data", images, "-o", tmp_path / "out.pt").error()
    assert not (tmp_path / "out.pt").exists()


def test_what_cannot_be_trained(images: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    out = tmp_path / "out.pt"
    assert "epochs is a whole number" in command("train", V1, "--data", images, "-o", out, "--epochs", 0).error()
    assert "is a folder; name the file" in command("train", V1, "--data", images, "-o", tmp_path).error()
    assert "is no classifier" in command("train", "ssd_mobilenet_v1", "--data", images, "-o", out).error()
