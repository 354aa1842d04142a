"""``compile --dtype int8``: what is asked for, what comes out, and what is refused in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from quantised.images_on_disk import write_images

from mobilenet_tvm.base.events import Event, Warned
from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.package.quantisation import is_quantised
from mobilenet_tvm.package.seeded_inputs import seeded_inputs
from mobilenet_tvm.package.yardstick import expected_outputs
from mobilenet_tvm.verbs.quantised import for_tuning

Command = Callable[..., Any]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images", 8)


@pytest.fixture
def error(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The message of a command that fails in an empty folder and leaves it empty."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*arguments: object) -> str:
        message: str = command(*arguments).error()
        assert not os.listdir(work)
        return message

    return run


def test_a_float_file_becomes_an_int8_package(command: Command, tiny_onnx: Path, images: Path, tmp_path: Path) -> None:
    package, kept = tmp_path / "p", tmp_path / "kept" / "int8.onnx"
    words = ("compile", tiny_onnx, "--target", "x86-64-v3", "--dtype", "int8", "--calibration", images, "-o", package)
    answer = command(*words, "--keep-quantised", kept, "--json")
    assert answer.code == 0, answer.err
    assert "8 images calibrate: 100 or more are better" in answer.err
    assert json.loads(answer.out)["dtype"] == "int8"
    manifest = json.loads((package / "manifest.json").read_text())
    assert manifest["dtype"] == "int8"
    assert manifest["quantisation"]["calibration"] == "images"
    assert manifest["quantisation"]["images"] == 8
    assert manifest["quantisation"]["float_sha256"] == sha256_file(tiny_onnx)
    assert manifest["model"]["onnx_sha256"] == sha256_file(kept)
    assert command("verify", package, "--onnx", kept).code == 0
    inputs = seeded_inputs([_Input()], seed=4)
    pairs = zip(*(expected_outputs(file, inputs) for file in (tiny_onnx, kept)), strict=True)
    for right, quantised in pairs:
        assert np.linalg.norm(right[0] - quantised[0]) < 0.2 * np.linalg.norm(right[0])
    again = command("compile", kept, "--target", "x86-64-v3", "--dtype", "int8", "-o", tmp_path / "again", "--json")
    assert again.code == 0, again.err
    assert "quantised already" in command(*words[:1], kept, *words[2:]).error()


def test_tuning_needs_no_images(tiny_onnx: Path) -> None:
    """Kernels take scales as arguments: those of random inputs are as good, and nobody is warned of them."""
    events: list[Event] = []
    source = find_model(str(tiny_onnx), None, None, events.append)
    assert for_tuning(source, "float32", events.append) == source
    tuned = for_tuning(source, "int8", events.append)
    assert is_quantised(tuned.onnx)
    assert for_tuning(tuned, "int8", events.append) == tuned
    assert not [event for event in events if isinstance(event, Warned)]


class _Input:
    shape = (1, 3, 16, 16)
    dtype = "float32"


def test_a_folder_that_cannot_calibrate(error: Callable[..., str], tiny_onnx: Path, tmp_path: Path) -> None:
    words = ("compile", tiny_onnx, "--dtype", "int8", "-o", "p", "--keep-quantised", "kept.onnx", "--calibration")
    assert "is no folder of images" in error(*words, tmp_path / "gone")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no image")
    assert "holds no images" in error(*words, empty)
    broken = write_images(tmp_path / "broken", 3)
    (broken / "4.png").write_bytes((broken / "1.png").read_bytes()[:60])
    message = error(*words, broken)
    assert "4.png: does not decode" in message
    tensors = tmp_path / "tensors"
    tensors.mkdir()
    np.save(tensors / "0.npy", np.zeros((1, 3, 8, 8), np.float32))
    assert "finite float32 1x3x16x16 does" in error(*words, tensors)
    np.save(tensors / "0.npy", np.full((1, 3, 16, 16), np.nan, np.float32))
    assert "finite float32 1x3x16x16 does" in error(*words, tensors)


def test_int8_where_it_cannot_be(error: Callable[..., str], tiny_onnx: Path, images: Path) -> None:
    assert "int8 packages are for CPUs" in error("compile", tiny_onnx, "--target", "a100", "--dtype", "int8", "-o", "p")
    assert "--calibration DIR" in error("compile", tiny_onnx, "--dtype", "int8", "-o", "p")
    for option in ("--calibration", images), ("--keep-quantised", "kept.onnx"):
        assert "goes with --dtype int8" in error("compile", tiny_onnx, *option, "-o", "p")
        assert "goes with --dtype int8" in error("compare", tiny_onnx, *option)
    words = ("compile", tiny_onnx, "--dtype", "int8", "--calibration", images, "-o", "p", "--keep-quantised")
    assert "its name ends in .onnx" in error(*words, "kept")


def test_a_network_that_cannot_be_quantised(error: Callable[..., str], images: Path, tmp_path: Path) -> None:
    make = onnx.helper
    values = [make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 16, 16]) for name in ("x", "y")]
    graph = make.make_graph([make.make_node("Relu", ["x"], ["y"])], "relu", values[:1], values[1:])
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 18)], ir_version=10), tmp_path / "relu.onnx")
    words = ("--dtype", "int8", "--calibration", images, "-o", "p")
    assert "neither a convolution nor a dense layer" in error("compile", tmp_path / "relu.onnx", *words)
