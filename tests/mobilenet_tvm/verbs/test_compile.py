from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

import targets
from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, Progress, Warned
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.reference import read_reference
from mobilenet_tvm.package.seeded_inputs import seeded_inputs
from mobilenet_tvm.package.yardstick import expected_outputs
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.verify import verify

BFLOAT16 = "x86-64-v4-bf16"


def _silent(event: Event) -> None:
    """Nobody listens."""


def test_a_package_holds_all_that_it_needs(tiny_package: Path) -> None:
    names = {path.relative_to(tiny_package).as_posix() for path in tiny_package.rglob("*") if path.is_file()}
    assert names == {
        *("module.so", "manifest.json", "reference.npz", "run.sh", "LICENSE", "NOTICE"),
        *("bin/mobilenet-run", "lib/libtvm_runtime.so", "lib/libtvm_ffi.so"),
    }
    assert "Apache License" in (tiny_package / "LICENSE").read_text()
    for word in ("Apache TVM", "stb_image", "libbacktrace"):
        assert word in (tiny_package / "NOTICE").read_text()


def test_what_the_manifest_says(tiny_package: Path, tiny_onnx: Path) -> None:
    manifest = json.loads((tiny_package / "manifest.json").read_text())
    assert manifest["target"]["name"] == "x86-64-v3"
    assert "avx2" in manifest["target"]["cpu_features"]
    assert manifest["inputs"] == [{"name": "input", "shape": [1, 3, 16, 16], "dtype": "float32"}]
    assert manifest["outputs"][0]["shape"] == [1, 8]
    assert manifest["preprocessing"]["crop"] == 16
    assert set(manifest["files"]) == {
        path.relative_to(tiny_package).as_posix() for path in tiny_package.rglob("*") if path.is_file()
    } - {"manifest.json"}
    layers = {kernel["layer"].split()[0] for kernel in manifest["kernels"] if kernel["layer"]}
    assert {"conv2d", "separable", "dense"} <= layers


@pytest.mark.skipif(bool(targets.load(BFLOAT16).missing_here()), reason="this CPU has no AVX512-BF16")
def test_a_package_of_bfloat16(tmp_path: Path, tiny_onnx: Path) -> None:
    compiled = compile(str(tiny_onnx), BFLOAT16, tmp_path / "package", dtype="bfloat16", on_event=_silent)
    assert compiled.dtype == "bfloat16"
    with open_package(tmp_path / "package") as package:
        manifest = package.manifest
    of_layers = {kernel.layer.split()[0]: kernel.dtype for kernel in manifest.kernels if kernel.layer}
    assert of_layers == dict.fromkeys(("conv2d", "depthwise", "pointwise", "global_average_pool", "dense"), "bfloat16")
    assert manifest.tolerance >= 1e-2
    verified = verify(tmp_path / "package", on_event=_silent)
    assert verified.passed
    assert 1e-4 < verified.relative_err < manifest.tolerance, "it is rounded, and no more than that"


def test_bfloat16_is_for_cpus_that_have_it(tmp_path: Path, tiny_onnx: Path) -> None:
    with pytest.raises(UserError, match=r"bfloat16 packages are for CPUs with AVX512-BF16 .* x86-64-v3: float32, int8"):
        compile(str(tiny_onnx), "x86-64-v3", tmp_path / "package", dtype="bfloat16", on_event=_silent)
    with pytest.raises(UserError, match="unknown dtype 'bfloat'"):
        compile(str(tiny_onnx), BFLOAT16, tmp_path / "package", dtype="bfloat", on_event=_silent)
    assert not list(tmp_path.glob("package*"))


def test_phases_are_written_beside_the_package(tmp_path: Path, tiny_onnx: Path) -> None:
    compile(str(tiny_onnx), "x86-64-v3", tmp_path / "package", dump=tmp_path / "phases", on_event=_silent)
    names = {path.name for path in (tmp_path / "phases").iterdir()}
    assert names == {"01-imported.py", "02-lowered.py", "03-scheduled.py", "04-llvm.ll"}
    with open_package(tmp_path / "package") as package:
        assert package.manifest.kernels


def test_the_reference_is_onnxruntimes(tiny_package: Path, tiny_onnx: Path) -> None:
    pairs = read_reference(tiny_package / "reference.npz")
    expected = seeded_inputs([OnnxInput(name="input", shape=(1, 3, 16, 16))])
    assert len(pairs) >= 3
    for pair, inputs, outputs in zip(pairs, expected, expected_outputs(tiny_onnx, expected), strict=True):
        np.testing.assert_array_equal(pair.inputs, inputs)
        np.testing.assert_array_equal(pair.outputs, outputs)
    assert not np.array_equal(pairs[0].inputs, pairs[1].inputs)


def test_an_archive_unpacks_into_its_own_folder_and_runs(tmp_path: Path, tiny_onnx: Path) -> None:
    path = tmp_path / "net.tar.gz"
    compile(str(tiny_onnx), "x86-64-v3", path, on_event=_silent)
    assert verify(path)["passed"]
    with tarfile.open(path) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    done = subprocess.run(
        [tmp_path / "unpacked" / "net" / "run.sh", "--self-test", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={},  # no Python, no path: a device has none of ours
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["self_test"]["passed"]


def test_a_dynamic_batch_and_class_names(tmp_path: Path, make_network: Callable[..., onnx.ModelProto]) -> None:
    onnx.save(make_network(batch="N"), tmp_path / "dynamic.onnx")
    (tmp_path / "names.txt").write_text("\n".join("abcdefgh") + "\n")
    compile(
        str(tmp_path / "dynamic.onnx"),
        "x86-64-v3",
        tmp_path / "p",
        shape={"input": [2, 3, 16, 16]},
        labels=tmp_path / "names.txt",
        on_event=_silent,
    )
    with open_package(tmp_path / "p") as package:
        assert package.manifest.inputs[0].shape == (2, 3, 16, 16)
        assert package.manifest.outputs[0].shape == (2, 8)
        assert package.manifest.labels == tuple("abcdefgh")
    assert verify(tmp_path / "p")["passed"]


def test_an_own_module(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "def net():\n"
        "    torch.manual_seed(0)\n"
        "    conv = torch.nn.Conv2d(3, 16, 3, 2, 1)\n"
        "    return torch.nn.Sequential(conv, torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())\n"
    )
    compile(f"{tmp_path}/mine.py:net", "x86-64-v3", tmp_path / "p", shape=["input:1x3x32x32"], on_event=_silent)
    with open_package(tmp_path / "p") as package:
        assert package.manifest.inputs[0].shape == (1, 3, 32, 32)
    assert verify(tmp_path / "p")["passed"]


def test_a_target_of_the_users(tmp_path: Path, tiny_onnx: Path) -> None:
    text = (Path(targets.__file__).parent / "presets" / "x86-64-v3.toml").read_text()
    (tmp_path / "my-box.toml").write_text(text.replace("x86-64-with", "mine"))
    result = compile(str(tiny_onnx), str(tmp_path / "my-box.toml"), tmp_path / "p", on_event=_silent)
    assert result["target"] == "my-box"


def test_an_export_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILENET_TVM_CACHE", str(tmp_path / "cache"))
    from mobilenet_tvm.model.source import find_model

    warnings: list[list[str]] = []
    paths = []
    for _ in range(2):
        heard: list[Event] = []
        paths.append(find_model("mobilenet_v1_0.25_128", None, None, heard.append).onnx)
        warnings.append([event.message for event in heard if isinstance(event, Warned)])
        stages = [event.stage for event in heard if isinstance(event, Progress)]
    assert paths[0] == paths[1]
    assert stages == [], "the second time nothing is exported"
    assert warnings[0] == warnings[1] != []
