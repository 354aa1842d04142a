"""The examples run as they stand, from another folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from trained_faces import needs_npm, trained_faces

from mobilenet_tvm.places import qemu as emulator

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


def test_the_demo_for_a_board(tmp_path: Path) -> None:
    if lacking := emulator.missing("aarch64"):
        pytest.skip(f"{lacking[0][0]} is not installed (Debian: {lacking[0][1]})")
    out = _run("demo_rpi.py", tmp_path, "rpi4")
    assert "Egyptian cat, espresso, tripod: right" in out
    assert ": passed: " in out


@pytest.mark.timing
def test_the_demo(tmp_path: Path) -> None:
    assert "Egyptian cat, espresso, tripod: right" in _run("demo.py", tmp_path)
