from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mobilenet_tvm.package.reference import read_first
from mobilenet_tvm.verbs.run import run


def _softmax(y: np.ndarray) -> np.ndarray:
    e = np.exp(y - y.max())
    return np.asarray(e / e.sum())


def test_the_classes_of_a_tensor(tiny_package: Path, tmp_path: Path) -> None:
    inputs, outputs = read_first(tiny_package / "reference.npz")
    np.save(tmp_path / "x.npy", inputs[1])
    result = run(tiny_package, [tmp_path / "x.npy"], top=3)
    probabilities = _softmax(outputs[1][0])
    order = np.argsort(-probabilities)[:3]
    (found,) = result["results"]
    assert [entry["class_id"] for entry in found["top"]] == order.tolist()
    assert np.allclose([entry["probability"] for entry in found["top"]], probabilities[order], atol=1e-5)
    assert found["image"] == str(tmp_path / "x.npy")


def test_formats_that_the_runner_lacks_are_decoded_by_pillow(tiny_package: Path, tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8))
    for name in ("a.png", "a.webp", "a.bmp"):
        picture.save(tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    results = run(tiny_package, [tmp_path / name for name in ("a.png", "a.webp", "a.bmp")])["results"]
    assert results[0]["top"] == results[1]["top"] == results[2]["top"]


def test_the_table(command: Callable[..., Any], tiny_package: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 3, 16, 16), np.float32))
    answer = command("run", tiny_package, tmp_path / "x.npy", "--top", "2")
    lines = answer.out.splitlines()
    assert lines[0].split() == ["image", "probability", "class"]
    assert len(lines) == 3
    assert " class " in lines[1]
