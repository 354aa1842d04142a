from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx_network import Network
from PIL import Image

import mobilenet_tvm
from mobilenet_tvm.base.errors import UserError
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


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of two inputs and four outputs, of six dtypes, with names that are no identifiers."""
    folder = tmp_path_factory.mktemp("several")
    network = Network()
    pixels = network.node("Cast", network.input([1, 3, 6, 6], "pixels/0", TensorProto.UINT8), to=TensorProto.FLOAT)
    summed = network.node("Add", pixels, network.input([1, 3, 6, 6], "a=b"))
    features = network.conv(summed, 3, 8, 3)
    outputs = {
        "heat.map": network.node("Relu", features),
        "class:0": network.node("ArgMax", features, axis=1),
        "is positive": network.node("Greater", features, network.constant(0.0)),
        "half": network.node("Cast", features, to=TensorProto.FLOAT16),
    }
    for name, value in outputs.items():
        network.nodes.append(helper.make_node("Identity", [value], [name]))
    path = network.output(*outputs).save(folder / "several.onnx")
    mobilenet_tvm.compile(path, "x86-64-v3", folder / "package", check=False)
    return folder


class TestSeveralTensors:
    def given(self, folder: Path) -> dict[str, np.ndarray]:
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (1, 3, 6, 6), dtype=np.uint8)
        return {"pixels/0": pixels, "a=b": random.standard_normal((1, 3, 6, 6)).astype(np.float32)}

    def test_all_outputs_are_saved_as_onnxruntime_has_them(self, several: Path, tmp_path: Path) -> None:
        given = self.given(several)
        result = run(several / "package", inputs=given, save=tmp_path)
        session = onnxruntime.InferenceSession(several / "several.onnx", providers=["CPUExecutionProvider"])
        (entry,) = result.results
        assert entry.top == () and entry.outputs
        for output, wanted in zip(entry.outputs, session.run(None, given), strict=True):
            saved = np.load(tmp_path / output.file)
            assert (saved.dtype, saved.shape) == (wanted.dtype, wanted.shape)
            assert (output.dtype, output.shape) == (wanted.dtype.name, wanted.shape)
            assert output.elements == pytest.approx(saved.astype(float).reshape(-1).tolist())
            if saved.dtype == np.float32:
                assert np.allclose(saved, wanted, atol=1e-5 * np.ptp(wanted))
            if saved.dtype == np.int64:
                assert np.mean(saved == wanted) > 0.99
        assert [output.name for output in entry.outputs] == ["heat.map", "class:0", "is positive", "half"]

    def test_files_by_name(self, command: Callable[..., Any], several: Path, tmp_path: Path) -> None:
        words = []
        for number, (name, array) in enumerate(self.given(several).items()):
            np.save(tmp_path / f"{number}.npy", array)
            words += ["--input", f"{name}={tmp_path}/{number}.npy"]
        answer = command("run", several / "package", *words)
        assert answer.code == 0 and "class:0" in answer.out and "int64 1x1x6x6" in answer.out
        assert command("verify", several / "package").code == 0

    @pytest.mark.parametrize(
        ("change", "part"),
        [
            ({"a=b": None}, "no --input a=b=FILE.npy"),
            ({"c": np.zeros(1, np.float32)}, "no input 'c'; it takes pixels/0 (uint8 1x3x6x6), a=b (float32"),
            ({"a=b": np.zeros((1, 3, 6, 6))}, "a=b is float32 1x3x6x6; what was given is float64"),
            ({"pixels/0": np.zeros((1, 3, 5, 6), np.uint8)}, "given is uint8 1x3x5x6"),
            ({"a=b": "nowhere.npy"}, "nowhere.npy is not a .npy file"),
        ],
    )
    def test_wrong_inputs_are_named(self, several: Path, change: dict[str, Any], part: str) -> None:
        given: dict[str, Any] = {**self.given(several), **change}
        with pytest.raises(UserError, match=re.escape(part)):
            run(several / "package", inputs={name: value for name, value in given.items() if value is not None})

    def test_wrong_words(self, several: Path, tmp_path: Path) -> None:
        for words, part in ((["c=x.npy"], "is not NAME=FILE.npy"), (["a=b=x.npy", "a=b=y.npy"], "is given twice")):
            with pytest.raises(UserError, match=part):
                run(several / "package", inputs=words)
        np.save(tmp_path / "x.npy", np.zeros((1, 3, 6, 6), np.uint8))
        with pytest.raises(UserError, match=r"is one tensor, and the network takes a .*npz with pixels/0: uint8"):
            run(several / "package", [tmp_path / "x.npy"])


def test_rows_of_a_batch_have_their_names(tmp_path: Path) -> None:
    network = Network()
    features = network.node("GlobalMaxPool", network.conv(network.input([2, 3, 8, 8]), 3, 8))
    network.output(network.node("Flatten", features)).save(tmp_path / "batch.onnx")
    mobilenet_tvm.compile(tmp_path / "batch.onnx", "x86-64-v3", tmp_path / "package", check=False)
    np.save(tmp_path / "x.npy", np.ones((2, 3, 8, 8), np.float32))
    results = run(tmp_path / "package", [tmp_path / "x.npy", tmp_path / "x.npy"], save=tmp_path / "saved").results
    assert [entry.image for entry in results] == [f"{tmp_path}/x.npy[{row}]" for row in (0, 1, 0, 1)]
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["0", "1"]
