"""Packages that older versions compiled: they open, run and are right.

``old_package/`` is the tiny network for x86-64-v3 as version 0.1.0 compiled it, without its program and libraries.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from mobilenet_tvm.base.paths import sha256_file
from mobilenet_tvm.native.device_runtime import runtime_libraries
from mobilenet_tvm.native.runner_build import runner_binary
from mobilenet_tvm.package.reference import read_first
from mobilenet_tvm.places.qemu import qemu
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.run import run
from mobilenet_tvm.verbs.verify import verify

OLD = Path(__file__).with_name("old_package")
ADDED_LATER = ("device_code", "tolerance")
ADDED_TO_TARGET_LATER = ("emulator", "gpu")


def _with_programs(folder: Path, manifest: dict[str, Any]) -> Path:
    """The old package, complete: an x86-64 program and libraries in the places of its own."""
    shutil.copytree(OLD, folder)
    for name, source in {
        "bin/mobilenet-run": runner_binary("x86_64"),
        **{f"lib/{library.name}": library for library in runtime_libraries("x86_64")},
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(source, folder / name)
        manifest["files"][name] = sha256_file(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(params=["last", "first"])
def package(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """With the last manifest that 0.1.0 wrote, and with the first: that lacks the keys that came later."""
    manifest = json.loads((OLD / "manifest.json").read_text())
    if request.param == "first":
        for key in ADDED_LATER:
            del manifest[key]
        for key in ADDED_TO_TARGET_LATER:
            del manifest["target"][key]
    return _with_programs(tmp_path / "package", manifest)


def test_what_it_holds(package: Path, command: Callable[..., Any]) -> None:
    result = json.loads(command("inspect", package, "--json").out)
    jsonschema.validate(result, load_schema("inspect"))
    assert result["model"]["name"] == "tiny"
    assert [kernel["layer"] for kernel in result["kernels"]][1] == "dense 32->8 bias"
    assert (result["device_code"], result["tolerance"]) == (None, 1e-4)


def test_its_numbers(package: Path) -> None:
    assert verify(package)["passed"]


def test_its_classes(package: Path, tmp_path: Path) -> None:
    inputs, outputs = read_first(package / "reference.npz")
    np.save(tmp_path / "x.npy", inputs[0])
    (result,) = run(package, [tmp_path / "x.npy"])["results"]
    assert [entry["class_id"] for entry in result["top"]] == np.argsort(-outputs[0][0])[:5].tolist()


def test_on_the_emulated_cpu_of_its_target(package: Path) -> None:
    if qemu("x86_64") is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: apt install qemu-user)")
    assert verify(package, emulate=True)["passed"]


def test_its_layers(package: Path, command: Callable[..., Any]) -> None:
    result = json.loads(command("profile", package, "--repeat", "3", "--json").out)
    jsonschema.validate(result, load_schema("profile"))
    assert len(result["layers"]) == 4
