"""What --json prints is what the schemas say, for real output of every verb."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.schemas.generate import SCHEMAS, schema_text

FOLDER = Path(__file__).parents[3] / "mobilenet_tvm" / "schemas"


def check(payload: Any, name: str) -> None:
    jsonschema.validate(payload, load_schema(name), cls=jsonschema.Draft202012Validator)


def test_every_file_has_its_type() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_what_its_type_says(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema(name))
    text = (FOLDER / f"{name}.json").read_text()
    assert text == schema_text(name), "python -m mobilenet_tvm.schemas writes them again"


def _json(command: Callable[..., Any], *arguments: object, code: int = 0) -> Any:
    answer = command(*arguments, "--json")
    assert answer.code == code, answer
    return json.loads(answer.out)


def test_compile_and_the_manifest(command: Callable[..., Any], tiny_onnx: Path, tmp_path: Path) -> None:
    check(_json(command, "compile", tiny_onnx, "--target", "x86-64-v3", "-o", tmp_path / "p"), "compile")
    check(json.loads((tmp_path / "p" / "manifest.json").read_text()), "manifest")


def test_verbs_on_a_package(command: Callable[..., Any], tiny_package: Path, tiny_onnx: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 3, 16, 16), np.float32))
    check(_json(command, "inspect", tiny_package), "inspect")
    check(_json(command, "verify", tiny_package), "verify")
    check(_json(command, "verify", tiny_package, "--onnx", tiny_onnx), "verify")
    check(_json(command, "run", tiny_package, tmp_path / "x.npy"), "run")
    check(_json(command, "bench", tiny_package, "--repeat", "5"), "bench")
    check(_json(command, "profile", tiny_package, "--repeat", "5"), "profile")


def test_compare(command: Callable[..., Any], tiny_onnx: Path) -> None:
    arguments = ["--targets", "x86-64-v3", "--against", "onnxruntime,openvino", "--rounds", "2"]
    check(_json(command, "compare", tiny_onnx, *arguments), "compare")


def test_models(command: Callable[..., Any]) -> None:
    check(_json(command, "models"), "models")
    check(_json(command, "models", "mobilenet_v2_1.0_224"), "model")


def test_targets(command: Callable[..., Any]) -> None:
    check(_json(command, "targets"), "targets")
    check(_json(command, "targets", "native"), "target")


def test_export(command: Callable[..., Any], tmp_path: Path) -> None:
    check(_json(command, "export", "mobilenet_v1_0.25_128", "-o", tmp_path / "m.onnx"), "export")


def test_doctor(command: Callable[..., Any]) -> None:
    check(_json(command, "doctor"), "doctor")


def test_cache(command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOBILENET_TVM_CACHE", str(tmp_path))
    for part in ("exports", "tuning"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "file").write_text("12345")
    shown = _json(command, "cache", "show")
    check(shown, "cache_show")
    assert shown["bytes"] == 10
    cleared = _json(command, "cache", "clear")
    check(cleared, "cache_clear")
    assert (cleared["removed"], cleared["bytes"]) == (["exports"], 5)
    assert _json(command, "cache", "clear", "--tuning")["removed"] == ["tuning"]


def test_logs_show(command: Callable[..., Any]) -> None:
    check(_json(command, "logs", "show"), "logs_show")
    check(_json(command, "logs", "show", "--all"), "logs_show")


@pytest.mark.parametrize(("pattern", "schema"), [("*/*", "tuning_log_line"), ("*/choices/*", "tuning_choice_line")])
def test_the_checked_in_logs(pattern: str, schema: str) -> None:
    paths = list((Path(__file__).parents[3] / "tuning_logs").glob(f"{pattern}.jsonl"))
    assert paths
    for path in paths:
        for line in path.read_text().splitlines():
            check(json.loads(line), schema)
