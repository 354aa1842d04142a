"""``verify --images``: a package's answers beside the float network's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from filelock import FileLock
from onnx import numpy_helper
from quantised.images_on_disk import write_images

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.preprocessing import preprocess
from mobilenet_tvm.package.manifest import read_manifest
from mobilenet_tvm.package.yardstick import expected_outputs
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.verify import verify

CLASSES = 8
COUNT = 12
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_images(tmp_path_factory.mktemp("judged") / "images", COUNT)


@pytest.fixture(scope="module")
def int8_package(shared_folder: Path, tiny_onnx: Path) -> Path:
    """The small network in eight bits, and beside it the file that it was compiled from."""
    folder = shared_folder / "tiny-int8"
    calibration = write_images(shared_folder / "calibration", COUNT)
    with FileLock(shared_folder / "tiny-int8.lock"):
        if not folder.exists():
            options = {"dtype": "int8", "calibration": calibration, "on_event": lambda event: None}
            compile(str(tiny_onnx), "x86-64-v3", folder, keep_quantised=shared_folder / "tiny-int8.onnx", **options)
    return folder


def _answers(package: Path, onnx_file: Path, images: Path) -> np.ndarray:
    plan = read_manifest(package, "").preprocessing
    assert plan is not None
    inputs = [(preprocess(images / f"{n}.png", plan),) for n in range(COUNT)]
    return np.stack([outputs[0][0] for outputs in expected_outputs(onnx_file, inputs)])


def test_what_eight_bits_cost(command: Command, int8_package: Path, tiny_onnx: Path, images: Path) -> None:
    answer = command("verify", int8_package, "--images", images, "--float", tiny_onnx, "--json")
    assert answer.code == 0, answer.err
    accuracy = json.loads(answer.out)["accuracy"]
    right = _answers(int8_package, tiny_onnx, images)
    made = _answers(int8_package, int8_package.with_name("tiny-int8.onnx"), images)
    cosines = (right * made).sum(axis=1) / np.linalg.norm(right, axis=1) / np.linalg.norm(made, axis=1)
    assert accuracy["images"] == COUNT
    assert accuracy["against"] == "tiny"
    assert accuracy["cosine_mean"] == pytest.approx(cosines.mean(), abs=1e-4)
    assert accuracy["cosine_min"] == pytest.approx(cosines.min(), abs=1e-4)
    agreeing = (right.argmax(axis=1) == made.argmax(axis=1)).mean()
    assert accuracy["top1_agreement"] == pytest.approx(agreeing, abs=1.5 / COUNT)
    assert {layer["layer"] for layer in accuracy["layers"]} == {"conv", "depthwise", "pointwise", "dense"}
    text = command("verify", int8_package, "--images", images, "--float", tiny_onnx).out
    assert f"against tiny on {COUNT} images" in text
    assert "the layers with the most noise" in text


def test_right_answers_and_the_gate(int8_package: Path, tiny_onnx: Path, images: Path, tmp_path: Path) -> None:
    """Labels by the float network itself: it has all of them right, and the package those where they agree."""
    classes = _answers(int8_package, tiny_onnx, images).argmax(axis=1)
    labels = tmp_path / "labels.tsv"
    labels.write_text("".join(f"{n}.png\t{class_id}\n" for n, class_id in enumerate(classes)))
    result = verify(int8_package, images=images, float_model=str(tiny_onnx), labels=labels)
    accuracy = result.accuracy
    assert accuracy and result.labels and accuracy.float_labels
    assert accuracy.float_labels.top1 == 1
    assert result.labels.top1 == accuracy.top1_agreement
    assert accuracy.meets_gate == (result.labels.top1 >= 0.98)
    labels.write_text("0.png\t0\n")
    with pytest.raises(UserError, match=r"no class for 1\.png"):
        verify(int8_package, images=images, float_model=str(tiny_onnx), labels=labels)


def test_a_float_package_is_judged_against_its_file(tiny_package: Path, tiny_onnx: Path, images: Path) -> None:
    accuracy = verify(tiny_package, images=images, onnx=tiny_onnx).accuracy
    assert accuracy
    assert accuracy.cosine_min > 1 - 1e-6
    assert accuracy.top1_agreement == accuracy.top5_agreement == 1
    assert accuracy.layers is None


def test_a_wrong_package_is_seen(
    int8_package: Path, tiny_package: Path, tiny_onnx: Path, images: Path, tmp_path: Path
) -> None:
    """Against a network with another classifier the agreement goes, and the gate with it."""
    model = onnx.load(tiny_onnx)
    for tensor in model.graph.initializer:
        if tensor.name.startswith("dense"):
            tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(UserError, match="was not quantised from other"):
        verify(int8_package, images=images, float_model=str(tmp_path / "other.onnx"))
    folders = tmp_path / "folders"
    for number in range(CLASSES):
        write_images(folders / str(number), 1)
    result = verify(tiny_package, images=folders, float_model=str(tmp_path / "other.onnx"), labels=folders)
    assert result.accuracy and result.labels and result.accuracy.float_labels
    assert result.accuracy.cosine_mean < -0.99
    assert result.labels.top1 == pytest.approx(1 / CLASSES)  # one photograph under every class


def test_what_is_refused(command: Command, int8_package: Path, tiny_onnx: Path, images: Path, tmp_path: Path) -> None:
    judged = ("verify", int8_package, "--images", images)
    assert "--float MODEL names the float network" in command(*judged).error()
    assert "--float goes with --images" in command("verify", int8_package, "--float", tiny_onnx).error()
    kept = int8_package.with_name("tiny-int8.onnx")
    assert "was not quantised from" in command(*judged, "--float", kept).error()
    assert "is no folder of images" in command("verify", int8_package, "--images", tmp_path / "gone").error()
    broken = write_images(tmp_path / "broken", 2)
    (broken / "1.png").write_bytes(b"no image")
    assert "1.png" in command("verify", int8_package, "--images", broken, "--float", tiny_onnx).error()
    labels = tmp_path / "labels.tsv"
    labels.write_text("0.png\t8\n")
    message = command(*judged, "--float", tiny_onnx, "--labels", labels).error()
    assert "class 8, and the network has 8 classes" in message
