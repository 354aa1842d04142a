"""What ``compile --dump`` writes: the module after each phase, in a file named by it."""

from pathlib import Path

import pytest
from onnx_network import Network

import targets
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from mobilenet_tvm.base.requests import CompileOptions
from tvm_pipeline.codegen.dump import CUDA, IMPORTED, LLVM, LOWERED, SCHEDULED
from tvm_pipeline.compile import compile_model
from tvm_pipeline.hardware.target import Target


def _compile(target: str, output: Path, dump: Path | None) -> Path:
    made = Network()
    data = made.node("Relu", made.conv(made.input([1, 3, 16, 16]), 3, 16, 3, strides=[2, 2]))
    made.output(made.conv(data, 16, 32))
    output.mkdir()
    resolved = Target.from_json(targets.load(target).to_json())
    onnx = made.save(output / "network.onnx")
    return compile_model(onnx, resolved, TuningLogs([]), 1, output, options=CompileOptions(dump=dump)).module


def _phases(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


@pytest.mark.parametrize("target", ["x86-64-v3", "rpi4", "a100"])
def test_each_phase_has_a_file(target: str, tmp_path: Path) -> None:
    _compile(target, tmp_path / "out", tmp_path / "new" / "dump")
    phases = _phases(tmp_path / "new" / "dump")
    code = {LLVM, CUDA} if target == "a100" else {LLVM}
    assert set(phases) == {IMPORTED, LOWERED, SCHEDULED, *code}
    assert "R.nn.conv2d(" in phases[IMPORTED]
    assert "R.call_tir(cls.pointwise_8x8x16_32_bias" in phases[LOWERED]
    assert "R.nn.conv2d(" not in phases[LOWERED]
    bound = "T.thread_binding(" if target == "a100" else "T.parallel("
    assert bound in phases[SCHEDULED]
    assert bound not in phases[LOWERED]
    assert {"x86-64-v3": "x86_64", "rpi4": "aarch64", "a100": "x86_64"}[target] in phases[LLVM]
    assert "pointwise_8x8x16_32_bias" in phases[LLVM]
    assert target != "a100" or "__global__ void" in phases[CUDA]


def test_the_module_is_the_same_without(tmp_path: Path) -> None:
    with_dump = _compile("x86-64-v3", tmp_path / "a", tmp_path / "dump").read_bytes()
    assert _compile("x86-64-v3", tmp_path / "b", None).read_bytes() == with_dump


def test_another_dump_takes_the_place_of_the_first_and_of_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / CUDA).write_text("of an earlier target")
    (tmp_path / "dump" / "notes.txt").write_text("mine")
    _compile("x86-64-v3", tmp_path / "out", tmp_path / "dump")
    assert set(_phases(tmp_path / "dump")) == {IMPORTED, LOWERED, SCHEDULED, LLVM, "notes.txt"}
