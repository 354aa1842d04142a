"""The examples run as they stand, from another folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from trained_faces import needs_npm, trained_faces

import targets
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.places import qemu as emulator

needs_bfloat16 = pytest.mark.skipif(
    bool(targets.load("x86-64-v4-bf16").missing_here()), reason="this CPU has no AVX512-BF16"
)
EXAMPLES = Path(__file__).parents[2] / "examples"


def _run(name: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", EXAMPLES / name, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_own_onnx(tmp_path: Path) -> None:
    lines = _run("own_onnx.py", tmp_path).splitlines()
    assert lines[1].endswith("right")
    assert lines[2].startswith("1 thread(s)")


def test_own_module(tmp_path: Path) -> None:
    out = _run("own_module.py", tmp_path)
    assert out.splitlines()[0].endswith("right")
    assert "separable 48x48x16" in out


def test_own_classes(tmp_path: Path) -> None:
    names = {line.split()[1] for line in _run("own_classes.py", tmp_path).splitlines()}
    assert names == {"bicycle", "bus", "car", "pedestrian", "tram"}


@needs_npm
def test_faces(tmp_path: Path) -> None:
    lines = _run("faces.py", tmp_path, str(trained_faces())).splitlines()
    assert lines == [
        "0.965: rows 73 to 175, columns 181 to 264",
        "1 face(s) in astronaut.png; drawn into faces.png",
    ]
    with Image.open(tmp_path / "faces.png") as drawn:
        assert drawn.getpixel((222, 73)) == (255, 64, 0)


@needs_npm
@pytest.mark.parametrize("dtype", [pytest.param("bfloat16", marks=needs_bfloat16), "int8"])
def test_faces_in_fewer_bits(dtype: str, tmp_path: Path) -> None:
    """The same face, at least as likely as 0.9, in a box that shares 0.9 of both with float32's."""
    options = ["--dtype", dtype]
    if dtype == "int8":
        options += ["--calibration", str(tmp_path / "others")]
        (tmp_path / "others").mkdir()
        for name in ("coffee.png", "chelsea.png", "motorcycle_left.png"):
            shutil.copy(package_folder("skimage") / "data" / name, tmp_path / "others")
    lines = _run("faces.py", tmp_path, str(trained_faces()), *options).splitlines()
    assert lines[1:] == ["1 face(s) in astronaut.png; drawn into faces.png"]
    probability, top, bottom, left, right = map(float, re.findall(r"[\d.]+", lines[0]))
    assert probability >= 0.9
    common = (min(bottom, 175) - max(top, 73)) * (min(right, 264) - max(left, 181))
    union = (bottom - top) * (right - left) + (175 - 73) * (264 - 181) - common
    assert common / union >= 0.9


def test_the_demo_for_a_board(tmp_path: Path) -> None:
    if lacking := emulator.missing("aarch64"):
        pytest.skip(f"{lacking[0][0]} is not installed (Debian: {lacking[0][1]})")
    out = _run("demo_rpi.py", tmp_path, "rpi4")
    assert "Egyptian cat, espresso, tripod: right" in out
    assert ": passed: " in out


@pytest.mark.timing
def test_the_demo(tmp_path: Path) -> None:
    assert "Egyptian cat, espresso, tripod: right" in _run("demo.py", tmp_path)
