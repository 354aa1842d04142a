"""Boards whose times are real: this machine, served by mobilenet-run and by TVM's own server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from mobilenet_tvm.base.host_cpu import host_model
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.bench import bench
from mobilenet_tvm.verbs.run import run
from mobilenet_tvm.verbs.tune import tune
from mobilenet_tvm.verbs.verify import verify

TARGET = "x86-64-v3"


def test_what_mobilenet_run_serves(native_board: str, tiny_package: Path) -> None:
    result = verify(tiny_package, device=native_board)
    assert (result["where"], result["device"], result["passed"]) == ("device", native_board, True)
    times = bench(tiny_package, device=native_board, threads=[1, 2], repeat=3, on_event=lambda event: None)
    jsonschema.validate(times.to_json(), load_schema("bench"))
    assert times["where"] == "device"
    assert times["conditions"]["cpu"] == host_model()
    assert [one["threads"] for one in times["results"]] == [1, 2]


def test_tvms_own_server_says_the_same(
    plain_board: str, tiny_package: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    assert verify(tiny_package, device=plain_board)["passed"]
    np.save(tmp_path / "x.npy", np.linspace(-1, 1, 3 * 16 * 16, dtype=np.float32).reshape(1, 3, 16, 16))
    there, here = (run(tiny_package, [tmp_path / "x.npy"], device=device) for device in (plain_board, None))
    for ours, theirs in zip(there["results"][0]["top"], here["results"][0]["top"], strict=True):
        assert (ours["class_id"], ours["label"]) == (theirs["class_id"], theirs["label"])
        assert ours["probability"] == pytest.approx(theirs["probability"], rel=1e-4)
    times = json.loads(command("bench", tiny_package, "--device", plain_board, "--repeat", "3", "--json").out)
    jsonschema.validate(times, load_schema("bench"))
    assert times["results"][0]["runs"] == 3
    layers = json.loads(command("profile", tiny_package, "--device", plain_board, "--json").out)["layers"]
    assert layers
    assert all(layer["ms"] > 0 for layer in layers)


def test_wrong_numbers_fail(plain_board: str, tiny_package: Path) -> None:
    from mobilenet_tvm.package.manifest import TOLERANCE
    from mobilenet_tvm.package.open import open_package
    from mobilenet_tvm.package.reference import Pair, read_reference, with_reference
    from mobilenet_tvm.places.place import place_of
    from mobilenet_tvm.places.runner import self_test

    first, *others = read_reference(tiny_package / "reference.npz")
    (y,) = first.outputs
    first = Pair(first.inputs, (y + np.float32(2 * TOLERANCE) * np.ptp(y),))
    with open_package(tiny_package) as opened, with_reference(opened, [first, *others]) as changed:
        test = self_test(place_of(changed, emulate=False, device=plain_board, on_event=lambda event: None))
    assert test["max_abs_err"] > TOLERANCE * test["output_range"]


def test_a_tune_writes_measured_records(native_board: str, tiny_onnx: Path, tmp_path: Path) -> None:
    result = tune(str(tiny_onnx), TARGET, trials=3, logs=tmp_path, device=native_board, on_event=lambda event: None)
    records = [json.loads(line) for line in Path(result["log"]).read_text().splitlines()]
    assert {record["record"] for record in records} == {"measured"}
    campaigns = json.loads((tmp_path / TARGET / "campaigns.json").read_text())
    (campaign,) = campaigns.values()
    assert (campaign["device"], campaign["cpu_model"]) == ("1 x x86-64-v3 over RPC", host_model())
