"""verify passes where it should and, above all, fails where it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from emulated_places import silent
from filelock import FileLock
from onnx import numpy_helper

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.requests import CompileOptions
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.package.manifest import TOLERANCE
from mobilenet_tvm.package.open import Package, open_package
from mobilenet_tvm.package.reference import Pair, read_first, read_reference, with_reference
from mobilenet_tvm.package.yardstick import expected_outputs
from mobilenet_tvm.places.place import Place, place_of
from mobilenet_tvm.places.runner import self_test
from mobilenet_tvm.verbs.compile import build_package
from mobilenet_tvm.verbs.verify import verify
from targets import load

LIVE = "mobilenet_v1_0.25_128"


@pytest.fixture(scope="session")
def live(shared_folder: Path) -> tuple[Path, Path]:
    """A whole MobileNetV1 with live random weights: its ONNX file, its package."""
    folder = shared_folder / "live"
    with FileLock(shared_folder / "live.lock"):
        source = find_model(LIVE, "random", None, silent)
        if not folder.exists():
            build_package(source, load("x86-64-v3"), 1, [], folder, CompileOptions(), on_event=silent)
    return source.onnx, folder


def _here(package: Package) -> Place:
    return place_of(package, emulate=False, device=None, on_event=silent)


def _zeroed(model: onnx.ModelProto, weight: str) -> onnx.ModelProto:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    tensor = next(tensor for tensor in changed.graph.initializer if tensor.name == weight)
    tensor.CopyFrom(numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(tensor)), weight))
    return changed


def test_a_right_package_passes(tiny_package: Path, tiny_onnx: Path) -> None:
    for result in (verify(tiny_package), verify(tiny_package, onnx=tiny_onnx)):
        assert result["passed"]
        assert result["where"] == "host"
        assert result["relative_err"] <= TOLERANCE


def test_a_live_network_passes(live: tuple[Path, Path]) -> None:
    network, package = live
    assert verify(package)["passed"]
    assert verify(package, onnx=network)["passed"]


def test_two_inputs_of_a_live_network_differ(live: tuple[Path, Path]) -> None:
    _, outputs = read_first(live[1] / "reference.npz")
    assert np.abs(outputs[0] - outputs[1]).max() > 0.05 * np.ptp(outputs[0])


def test_zeroing_any_one_convolution_fails(live: tuple[Path, Path], tmp_path: Path) -> None:
    """Against the numbers of a network that lacks a layer, the whole one fails: it works both ways round."""
    network, package = live
    model = onnx.load(network)
    inputs = [pair.inputs for pair in read_reference(package / "reference.npz")]
    convolutions = [node.input[1] for node in model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 27
    with open_package(package) as opened:
        for weight in convolutions:
            onnx.save(_zeroed(model, weight), tmp_path / "zeroed.onnx")
            outputs = expected_outputs(tmp_path / "zeroed.onnx", inputs)
            pairs = [Pair(x, y) for x, y in zip(inputs, outputs, strict=True)]
            with with_reference(opened, pairs) as changed:
                assert not self_test(_here(changed))["passed"], weight


def test_a_package_that_lacks_a_layer_fails(
    tiny_package: Path, tmp_path: Path, make_network: Callable[..., onnx.ModelProto], command: Callable[..., Any]
) -> None:
    right = read_reference(tiny_package / "reference.npz")
    onnx.save(_zeroed(make_network(), "depthwise.weight"), tmp_path / "zeroed.onnx")
    found = find_model(str(tmp_path / "zeroed.onnx"), None, None, silent)
    build_package(found, load("x86-64-v3"), 1, [], tmp_path / "wrong", CompileOptions(), on_event=silent)
    with open_package(tmp_path / "wrong") as opened, with_reference(opened, right) as wrong:
        assert not verify(wrong.folder)["passed"]
        answer = command("verify", wrong.folder)
        assert answer.code == 1
        assert "FAILED" in answer.out


def test_another_onnx_file_is_refused(
    tiny_package: Path, tmp_path: Path, make_network: Callable[..., onnx.ModelProto]
) -> None:
    onnx.save(_zeroed(make_network(), "conv.weight"), tmp_path / "other.onnx")
    with pytest.raises(UserError, match="was not compiled from"):
        verify(tiny_package, onnx=tmp_path / "other.onnx")


def _right_class(package: Package, x: np.ndarray) -> int:
    inputs, outputs = read_first(package.folder / "reference.npz")
    return next(int(y.argmax()) for i, y in zip(inputs, outputs, strict=True) if np.array_equal(i, x))


def test_the_share_of_right_answers(tiny_package: Path, tmp_path: Path) -> None:
    with open_package(tiny_package) as opened:
        inputs, _ = read_first(tiny_package / "reference.npz")
        lines = []
        for number, x in enumerate(inputs):
            np.save(tmp_path / f"{number}.npy", x)
            right = _right_class(opened, x)
            lines.append(f"{number}.npy\t{right if number else (right + 1) % 8}")
    (tmp_path / "labels.tsv").write_text("\n".join(lines) + "\n")
    shares = verify(tiny_package, labels=tmp_path / "labels.tsv")["labels"]
    assert shares["images"] == 3
    assert shares["top1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("text", ["0.npy 3\n", "0.npy\tcat\n", "gone.npy\t1\n", "\n"])
def test_a_broken_list_of_labels(tiny_package: Path, tmp_path: Path, text: str) -> None:
    np.save(tmp_path / "0.npy", np.zeros((1, 3, 16, 16), np.float32))
    (tmp_path / "labels.tsv").write_text(text)
    with pytest.raises(UserError, match=r"labels\.tsv"):
        verify(tiny_package, labels=tmp_path / "labels.tsv")
