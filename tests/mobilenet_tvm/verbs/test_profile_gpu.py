"""profile of a GPU's package, on a machine without a GPU: what its compilation left in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.manifest import MANIFEST, read_manifest
from mobilenet_tvm.package.store import list_files
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.compile import compile as compile_verb
from mobilenet_tvm.verbs.profile import profile
from targets.gpu_at_hand import has_gpu

pytestmark = pytest.mark.skipif(has_gpu(), reason="a GPU would measure")


@pytest.fixture(scope="module")
def gpu_package(tiny_onnx: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu") / "package"
    compile_verb(str(tiny_onnx), target="a100", output=folder)
    return folder


def test_every_kernel_and_sums_that_agree(gpu_package: Path) -> None:
    result = profile(gpu_package)
    jsonschema.validate(result.to_json(), load_schema("profile_gpu"), cls=jsonschema.Draft202012Validator)
    jsonschema.validate(
        json.loads((gpu_package / MANIFEST).read_text()), load_schema("manifest"), cls=jsonschema.Draft202012Validator
    )
    assert (result["where"], result["card"], result["total_ms"], result["runs"]) == ("modelled", "a100", None, None)
    kernels = result["kernels"]
    manifest = read_manifest(gpu_package, "it")
    assert {kernel["function"] for kernel in kernels} <= {kernel["name"] for kernel in manifest.kernels}
    assert {kernel["layer"] for kernel in kernels if kernel["layer"]} == {
        kernel["layer"] for kernel in manifest.kernels if kernel["layer"]
    }
    assert result["launches"] == sum(kernel["calls"] for kernel in kernels) >= len(kernels)
    assert result["estimated_us"] > result["launches"] * result["launch_us"]
    for kernel in kernels:
        assert kernel["flops"] >= kernel["mult_adds"]
        assert kernel["global_bytes"] >= kernel["unique_bytes"] > 0
        assert kernel["measured_us"] is None


def test_the_table_says_that_nothing_was_measured(command: Callable[..., Any], gpu_package: Path) -> None:
    answer = command("profile", gpu_package)
    assert answer.code == 0
    assert "modelled for a100, not measured" in answer.out
    assert "measured us" not in answer.out


def test_a_package_without_figures(gpu_package: Path, tmp_path: Path) -> None:
    """One that an older version compiled."""
    import shutil
    from dataclasses import replace

    shutil.copytree(gpu_package, tmp_path / "old")
    manifest = read_manifest(tmp_path / "old", "it")
    assert manifest.device_code is not None
    older = replace(manifest.device_code, model=UNSET)
    replace(manifest, device_code=older, files=list_files(tmp_path / "old")).write(tmp_path / "old")
    with pytest.raises(UserError, match="compile it again"):
        profile(tmp_path / "old")


def test_the_emulated_gpu_counts_beside_the_model(gpu_package: Path) -> None:
    result = profile(gpu_package, emulate=True)
    jsonschema.validate(result.to_json(), load_schema("profile_gpu"), cls=jsonschema.Draft202012Validator)
    assert (result["where"], result["total_ms"]) == ("emulated", None)
    for kernel in result["kernels"]:
        assert kernel["emulated"]["launches"] == kernel["calls"]
        assert kernel["global_bytes"] == pytest.approx(kernel["emulated"]["global_bytes"], rel=0.05)
