"""Each mistake that a user can make: one line, exit code 2, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

Command = Callable[..., object]


def _nothing_written(folder: Path, *known: str) -> None:
    assert sorted(os.listdir(folder)) == sorted(known)


@pytest.fixture
def error(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The message of a command that fails in an empty folder and leaves it empty."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*arguments: object) -> str:
        message: str = command(*arguments).error()  # type: ignore[attr-defined]
        _nothing_written(work)
        return message

    return run


def test_an_unknown_model(error: Callable[..., str]) -> None:
    for verb in (["compile", "mobilnet_v2_1.0_224", "-o", "p"], ["export", "mobilnet_v2_1.0_224", "-o", "m.onnx"]):
        assert "mobilenet_v2_1.0_224" in error(*verb)
    assert "mobilenet_v1_1.0_224" in error("models", "mobilenet_v1_1.0_22")


def test_an_unknown_target(error: Callable[..., str], tiny_onnx: Path) -> None:
    assert "did you mean 'x86-64-v4'?" in error("compile", tiny_onnx, "--target", "x86-64-v44", "-o", "p")
    assert "did you mean 'x86-64-v3'?" in error("tune", tiny_onnx, "--target", "x86_64_v3")
    assert "did you mean 'native'?" in error("compare", tiny_onnx, "--targets", "nativ")


def test_an_unknown_dtype(error: Callable[..., str], tiny_onnx: Path) -> None:
    assert "did you mean 'float32'?" in error("compile", tiny_onnx, "--dtype", "flaot32", "-o", "p")


def test_an_unknown_engine(error: Callable[..., str], tiny_onnx: Path) -> None:
    assert "did you mean 'onnxruntime'?" in error("compare", tiny_onnx, "--against", "onnx-runtime")


def test_a_file_that_is_not_onnx(error: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "notes.onnx"
    path.write_text("milk, eggs")
    assert "is not an ONNX file" in error("compile", path, "-o", "p")
    assert "no file" in error("compile", tmp_path / "gone.onnx", "-o", "p")


def test_a_truncated_onnx_file(error: Callable[..., str], tmp_path: Path, tiny_onnx: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_onnx.read_bytes()[:2000])
    assert "truncated" in error("compile", path, "-o", "p.tar.gz")


def test_a_dynamic_shape(
    error: Callable[..., str], tmp_path: Path, make_network: Callable[..., onnx.ModelProto]
) -> None:
    onnx.save(make_network(batch="N"), tmp_path / "dynamic.onnx")
    message = error("compile", tmp_path / "dynamic.onnx", "-o", "p")
    assert "has a dynamic input 'input' (Nx3x16x16): give --shape input:1x3x16x16" in message


def test_external_data_outside_the_folder(
    error: Callable[..., str], tmp_path: Path, make_network: Callable[..., onnx.ModelProto]
) -> None:
    (tmp_path / "model").mkdir()
    path = tmp_path / "model" / "m.onnx"
    onnx.save(make_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    shutil.move(tmp_path / "model" / "weights.bin", tmp_path / "weights.bin")
    path.write_bytes(path.read_bytes().replace(b"weights.bin", b"../ghts.bin"))
    assert "outside the model's folder" in error("compile", path, "-o", "p")


def test_a_float64_weight(
    error: Callable[..., str], tmp_path: Path, make_network: Callable[..., onnx.ModelProto]
) -> None:
    onnx.save(make_network(dtype=np.float64), tmp_path / "double.onnx")
    assert "float64 weight 'conv.weight'" in error("compile", tmp_path / "double.onnx", "-o", "p")


def test_an_operator_that_tvm_lacks(
    error: Callable[..., str], tmp_path: Path, make_network: Callable[..., onnx.ModelProto]
) -> None:
    model = make_network()
    model.graph.node[1].CopyFrom(onnx.helper.make_node("Det", ["c"], ["cr"], "the_odd_one"))
    onnx.save(model, tmp_path / "odd.onnx")
    message = error("compile", tmp_path / "odd.onnx", "-o", "p")
    assert "Det" in message


def test_a_checkpoint_with_wrong_tensors(error: Callable[..., str], tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "weights.safetensors"
    save_file({"features.0.0.weight": np.zeros((32, 3, 5, 5), np.float32)}, path)
    message = error("export", "mobilenet_v2_1.0_224", "--weights", path, "-o", "m.onnx")
    assert "misses features.0.1.weight" in message
    assert "features.0.0.weight is 32x3x5x5 and should be 32x3x3x3" in message
    assert "no weights" in error("compile", "mobilenet_v2_1.0_224", "--weights", tmp_path / "gone.pth", "-o", "p")


def test_an_image_that_does_not_decode(error: Callable[..., str], tmp_path: Path, tiny_package: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and then nothing")
    (tmp_path / "text.png").write_text("no image")
    for name in ("broken.jpg", "text.png"):
        assert name in error("run", tiny_package, tmp_path / name)
    assert "no image" in error("run", tiny_package, tmp_path / "gone.png")


@pytest.mark.parametrize("verb", [["verify"], ["inspect"], ["bench"], ["run", "x.npy"]])
def test_a_package_whose_sums_are_wrong(
    error: Callable[..., str], tiny_package: Path, verb: list[str], tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 16, 16), np.float32))
    with (tiny_package / "module.so").open("r+b") as stream:
        stream.seek(100)
        stream.write(b"\0\1\2\3")
    images = [tmp_path / name for name in verb[1:]]
    message = error(verb[0], tiny_package, *images)
    assert "module.so" in message
    assert "is not what was packed" in message or "its checksum is not the one in manifest.json" in message


@pytest.mark.parametrize("verb", [["verify"], ["bench"], ["profile"], ["run", "x.npy"]])
def test_a_package_whose_instructions_this_cpu_lacks(
    error: Callable[..., str], tiny_package: Path, verb: list[str], tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 16, 16), np.float32))
    manifest = json.loads((tiny_package / "manifest.json").read_text())
    manifest["target"]["cpu_features"].append("amx_int32")
    (tiny_package / "manifest.json").write_text(json.dumps(manifest))
    images = [tmp_path / name for name in verb[1:]]
    assert "this CPU lacks amx_int32" in error(verb[0], tiny_package, *images)


def test_an_output_folder_that_is_not_a_package(command: Command, tmp_path: Path, tiny_onnx: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("miaow")
    message = command("compile", tiny_onnx, "-o", tmp_path / "photos").error()  # type: ignore[attr-defined]
    assert "photos exists and is not a package" in message
    assert (tmp_path / "photos" / "cat.jpg").read_text() == "miaow"
    _nothing_written(tmp_path, "photos")


def test_a_folder_for_phases_that_cannot_be_made(command: Command, tmp_path: Path, tiny_onnx: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    for folder in (tmp_path / "notes", tmp_path / "notes" / "dump"):
        message = command("compile", tiny_onnx, "-o", tmp_path / "p", "--dump", folder).error()  # type: ignore[attr-defined]
        assert "notes is no folder that you may write to" in message
    _nothing_written(tmp_path, "notes")


def test_a_log_written_by_a_newer_schema(error: Callable[..., str], tmp_path: Path, tiny_onnx: Path) -> None:
    log = tmp_path / "logs" / "x86-64-v3" / "float32.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text('{"schema": 2, "layer": "dense 8->8"}\n')
    for verb in (["compile", tiny_onnx, "--target", "x86-64-v3", "-o", "p"], ["logs", "show"]):
        message = error(*verb, "--logs", tmp_path / "logs")
        assert "has schema 2" in message
        assert "float32.jsonl" in message


def test_shapes_threads_and_numbers(error: Callable[..., str], tiny_onnx: Path, tiny_package: Path) -> None:
    assert "is not NAME:DIMxDIM" in error("compile", tiny_onnx, "--shape", "1x3", "-o", "p")
    assert "at least 1 is needed" in error("compile", tiny_onnx, "--threads", "0", "-o", "p")
    assert "positive numbers" in error("bench", tiny_package, "--repeat", "0")
    assert "positive numbers" in error("profile", tiny_package, "--repeat", "0")
    assert "positive numbers" in error("tune", tiny_onnx, "--trials", "0")
    assert "cannot be measured on" in error("compare", tiny_onnx, "--threads", "4096")


def test_weights_for_an_onnx_file(error: Callable[..., str], tiny_onnx: Path) -> None:
    assert "an ONNX file holds its own" in error("compile", tiny_onnx, "--weights", "random", "-o", "p")


def test_class_names_that_do_not_fit(error: Callable[..., str], tmp_path: Path, tiny_onnx: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    assert "holds 2 class names, and the network has 8" in error(
        "compile", tiny_onnx, "--labels", tmp_path / "names.txt", "-o", "p"
    )
