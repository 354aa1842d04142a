"""A trained network in bfloat16 sees in photographs what it sees in float32."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import mobilenet_tvm
import targets
from mobilenet_tvm.base.paths import package_folder

PRESET = "x86-64-v4-bf16"
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "camera.png", "astronaut.png", "rocket.jpg", "motorcycle_left.png")

pytestmark = pytest.mark.skipif(bool(targets.load(PRESET).missing_here()), reason="this CPU has no AVX512-BF16")


def test_the_classes_of_photographs(tmp_path: Path) -> None:
    network, folder = "mobilenet_v2_1.0_224", tmp_path / "photographs"
    folder.mkdir()
    for name in PHOTOGRAPHS:
        shutil.copyfile(package_folder("skimage") / "data" / name, folder / name)
    mobilenet_tvm.compile(network, PRESET, tmp_path / "package", dtype="bfloat16", check=False)
    accuracy = mobilenet_tvm.verify(tmp_path / "package", images=folder, float_model=network).accuracy
    assert accuracy
    assert accuracy.images == len(PHOTOGRAPHS)
    assert accuracy.top1_agreement == 1
    assert accuracy.cosine_min > 0.998
