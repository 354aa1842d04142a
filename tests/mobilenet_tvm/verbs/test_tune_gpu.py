"""tune for a GPU that is not there: by the static model, and what is said without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mobilenet_tvm.base.logs.tuning_log import log_path, read_campaigns, read_log
from mobilenet_tvm.verbs.compile import compile as compile_verb
from mobilenet_tvm.verbs.logs import logs_check
from mobilenet_tvm.verbs.tune import tune
from tvm_pipeline.backends.gpu_model.estimate import MODEL_VERSION


def test_modelled_records_are_found_again(tiny_onnx: Path, tmp_path: Path) -> None:
    result = tune(str(tiny_onnx), "a100", measure="model", trials=8, logs=tmp_path)
    assert (result["trials"], result["noisy"]) == (8, 0)
    assert result["cost_model_updates"] >= 1
    records = read_log(log_path(tmp_path, "cuda-sm_80", "float32"))
    assert {record.layer for record in records} == {layer["layer"] for layer in result["layers"]}
    assert {record.record for record in records} == {"modelled"}
    (campaign,) = read_campaigns(tmp_path, "cuda-sm_80").items()
    assert campaign[0].endswith("modelled a100")
    assert (campaign[1]["gpu"], campaign[1]["device"], campaign[1]["model"]) == ("a100", "none", MODEL_VERSION)
    checked = logs_check("a100", logs=tmp_path)
    assert (checked.checked, checked.failed) == (len(records), ())
    compile_verb(str(tiny_onnx), target="a100", output=tmp_path / "package", logs=tmp_path)
    manifest = json.loads((tmp_path / "package" / "manifest.json").read_text())
    found = {kernel["layer"]: kernel["record"] for kernel in manifest["kernels"] if kernel["layer"]}
    assert {found[record.layer] for record in records} == {"modelled"}


def test_without_a_gpu_one_line_says_what_else_there_is(command: Callable[..., Any], tiny_onnx: Path) -> None:
    answer = command("tune", tiny_onnx, "--target", "a100")
    assert answer.code == 2
    assert "--measure model" in answer.err
    assert "--device" in answer.err
    assert len(answer.err.strip().splitlines()) == 1
