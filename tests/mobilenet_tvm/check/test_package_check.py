"""compile writes what is right, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from emulated_places import silent
from onnx import numpy_helper

import targets
from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.check import package_check
from mobilenet_tvm.check.package_check import check_package
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.package import build
from mobilenet_tvm.package.manifest import TOLERANCE, Manifest, read_manifest
from mobilenet_tvm.verbs.compile import compile
from mobilenet_tvm.verbs.verify import verify


def _zeroed(path: Path, weight: str) -> Path:
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == weight:
            tensor.CopyFrom(numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(tensor)), weight))
    changed = path.with_name("zeroed.onnx")
    onnx.save(model, changed)
    return changed


def _break_pipeline(patch: pytest.MonkeyPatch, folder: Path, most_outputs: int) -> None:
    """Have the pipeline take the depthwise layer's weights for zeros in networks of so many outputs."""
    run_child = build.run_child

    def run(module: str, job: CompileJob, *rest: Any, **options: Any) -> Any:
        if len(onnx.load(job.onnx).graph.output) > most_outputs:
            return run_child(module, job, *rest, **options)
        copy = folder / "copy.onnx"
        copy.write_bytes(job.onnx.read_bytes())
        return run_child(module, replace(job, onnx=_zeroed(copy, "depthwise.weight")), *rest, **options)

    patch.setattr(build, "run_child", run)


@pytest.fixture
def wrong_depthwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _break_pipeline(monkeypatch, tmp_path, most_outputs=99)


@pytest.mark.usefixtures("wrong_depthwise")
def test_a_wrong_package_is_not_written(tiny_onnx: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    answer = command("compile", tiny_onnx, "--target", "x86-64-v3", "-o", tmp_path / "out" / "package")
    assert answer.code == 1
    assert answer.out == ""
    (line,) = (line for line in answer.err.splitlines() if not line.startswith("warning: "))
    assert "tiny compiled for x86-64-v3 is wrong and was not written" in line
    assert "Conv 'depthwise' is the first operator whose result is off" in line
    assert "output" in line.partition("; ")[2]
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_wrong_only_between_others_is_found(
    tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all results as outputs nothing is fused and all is right: the network is cut."""
    _break_pipeline(monkeypatch, tmp_path, most_outputs=1)
    with pytest.raises(SystemFailure, match="Conv 'depthwise' is the first operator whose result is off"):
        compile(str(tiny_onnx), "x86-64-v3", tmp_path / "package", on_event=silent)


@pytest.mark.usefixtures("wrong_depthwise")
def test_unchecked_it_is_written(tiny_onnx: Path, tmp_path: Path) -> None:
    result = compile(str(tiny_onnx), "x86-64-v3", tmp_path / "package", check=False, on_event=silent)
    assert result.check is None
    assert not verify(tmp_path / "package").passed


def _checked(package: Path, tiny_onnx: Path, manifest: Manifest) -> Any:
    source = find_model(str(tiny_onnx), None, None, silent)
    target = targets.load(manifest.target.name)
    job = CompileJob(onnx=source.onnx, target=target, threads=1, out=package, shape=source.shapes)
    return check_package(source, job, target, manifest, silent)


def test_where_its_code_runs_the_package_itself_does(tiny_package: Path, tiny_onnx: Path) -> None:
    checked = _checked(tiny_package, tiny_onnx, read_manifest(tiny_package, "package"))
    assert (checked.how, checked.target) == ("run", "x86-64-v3")
    assert checked.relative_err <= TOLERANCE


def test_for_other_machines_the_graph_is_lowered_for_this_one_once(
    board_package: Path, tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_check, "cache_dir", lambda: tmp_path / "cache")
    manifest = read_manifest(board_package, "package")
    first, second = (_checked(board_package, tiny_onnx, manifest) for _ in range(2))
    assert (first.how, first.target) == ("lowered", targets.native().name)
    assert second == replace(first, how="remembered")


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"shape": (1, 9)}, r"float32 \[1, 9\], and the ONNX file's float32 \[1, 8\]"), ({"dtype": "bool"}, "bool")],
)
def test_shapes_and_dtypes_of_outputs(
    tiny_package: Path, tiny_onnx: Path, changed: dict[str, Any], message: str
) -> None:
    manifest = read_manifest(tiny_package, "package")
    manifest = replace(manifest, outputs=(replace(manifest.outputs[0], **changed),))
    with pytest.raises(SystemFailure, match=message):
        _checked(tiny_package, tiny_onnx, manifest)


def test_what_compile_says_of_it(tiny_onnx: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    answer = command("compile", tiny_onnx, "--target", "x86-64-v3", "-o", tmp_path / "package", "--json")
    check = json.loads(answer.out)["check"]
    assert (check["how"], check["target"]) == ("run", "x86-64-v3")
    assert 0 < check["relative_err"] <= TOLERANCE
