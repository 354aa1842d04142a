from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.answers import NetworkLayer
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import TuningRecord, write_log
from mobilenet_tvm.base.paths import builtin_logs_dir, user_logs_dir
from mobilenet_tvm.model.coverage import coverage, cpu_coverage, describe, log_folders
from targets import available, load


def _layer(
    kind: str, inputs: tuple[int, ...], outputs: tuple[int, ...], kernel: int = 1, stride: int = 1
) -> NetworkLayer:
    window = {"kernel": (kernel, kernel), "stride": stride, "padding": kernel // 2}
    return NetworkLayer.from_json({"name": "a", "kind": kind, "input": inputs, "output": outputs, **window})


@pytest.mark.parametrize(
    ("layer", "descriptor"),
    [
        (_layer("conv2d", (3, 224, 224), (32, 112, 112), 3, 2), "conv2d 224x224x3->32 k3x3 s2 p1"),
        (_layer("depthwise", (32, 112, 112), (32, 112, 112), 3), "depthwise 112x112x32 k3x3 s1 p1"),
        (_layer("pointwise", (128, 56, 56), (128, 56, 56)), "pointwise 56x56x128->128"),
        (_layer("dense", (1024,), (1000,)), "dense 1024->1000"),
    ],
)
def test_a_line_of_the_layer_table_is_described_as_the_logs_do(layer: NetworkLayer, descriptor: str) -> None:
    assert describe(layer) == descriptor
    assert str(Layer.parse(descriptor)) == descriptor


def test_layers_that_are_not_tuned() -> None:
    assert describe(_layer("add", (8, 4, 4), (8, 4, 4))) is None


def test_coverage_counts_layers_whatever_is_fused_and_inherits(tmp_path: Path) -> None:
    record = TuningRecord("pointwise 56x56x128->128 bias relu6", 1, "g/1", {}, 1e-3, "measured", "c")
    write_log(tmp_path / "x86-64-v4" / "float32.jsonl", [record])
    layers = [
        _layer("pointwise", (128, 56, 56), (128, 56, 56)),
        _layer("dense", (8,), (8,)),
        _layer("pool", (8,), (8,)),
    ]
    found = coverage(layers, [tmp_path], available().values())
    assert found["x86-64-v4"] == {"float32": 0.5}
    assert found["x86-64-v4-vnni"] == {"float32": 0.5}, "it inherits the logs of v4"
    assert found["x86-64-v3"] == {}


@pytest.mark.parametrize(
    ("kernel", "share"),
    [
        ("separable 56x56x128->128 k3x3 s1 p1 bias relu then bias relu", 1.0),
        ("strassen 56x56x128->128 bias relu", 0.5),
        ("strassen 56x56x128->64 bias relu", 0.0),
    ],
)
def test_coverage_counts_every_layer_that_a_known_kernel_computes(tmp_path: Path, kernel: str, share: float) -> None:
    write_log(tmp_path / "x86-64-v4" / "float32.jsonl", [TuningRecord(kernel, 1, "g/1", {}, 1e-3, "measured", "c")])
    pair = [_layer("depthwise", (128, 56, 56), (128, 56, 56), 3), _layer("pointwise", (128, 56, 56), (128, 56, 56))]
    assert coverage(pair, [tmp_path], [load("x86-64-v4")]) == {"x86-64-v4": {"float32": share}}


def test_coverage_of_each_cpu_counts_what_was_tuned_on_it(tmp_path: Path) -> None:
    tuned = [
        ("pointwise 56x56x128->128", "znver4"),
        ("pointwise 56x56x128->128 relu", "znver5"),
        ("dense 8->8", "znver5"),
    ]
    records = [TuningRecord(layer, 1, "g/1", {}, 1e-3, "measured", "c", cpu) for layer, cpu in tuned]
    old = TuningRecord("dense 8->8", 1, "g/1", {}, 1e-3, "measured", "c")
    write_log(tmp_path / "x86-64-v4" / "float32.jsonl", [*records, old])
    layers = [_layer("pointwise", (128, 56, 56), (128, 56, 56)), _layer("dense", (8,), (8,))]
    shares = {"unknown": 0.5, "znver4": 0.5, "znver5": 1.0}
    assert cpu_coverage(layers, [tmp_path], load("x86-64-v4")) == {"float32": shares}
    assert cpu_coverage(layers, [tmp_path], load("x86-64-v4-vnni")) == {"float32": shares}, "it inherits the logs of v4"
    assert cpu_coverage(layers, [tmp_path], load("x86-64-v3")) == {}


def test_which_folders(tmp_path: Path) -> None:
    assert log_folders(None) == [user_logs_dir(), builtin_logs_dir()]
    assert log_folders(tmp_path) == [tmp_path]
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a folder of logs"):
        log_folders(tmp_path / "file")


def test_targets_of_which_a_log_is_checked_in_exist() -> None:
    for path in builtin_logs_dir().glob("*/*.jsonl"):
        assert load(path.parent.name).name == path.parent.name
