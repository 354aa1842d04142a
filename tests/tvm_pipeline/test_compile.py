"""Compiling in a process of its own, as the front door asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from compiled_network import Compiled, run_onnxruntime, share_of_range
from onnx_network import Network

from mobilenet_tvm.base.child import run_child
from mobilenet_tvm.base.compiled import Built, Tensor
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, Progress, Warned
from mobilenet_tvm.base.jobs import CompileJob
from mobilenet_tvm.base.logs.tuning_log import MEASURED, TuningLogs, TuningRecord, log_path, write_log
from targets import Target

LAYERS = ("conv2d 16x16x3->16 k3x3 s2 p1 bias relu", "depthwise 8x8x16 k3x3 s1 p1 bias relu", "dense 16->10 bias")


def network(zeroed: int | None = None) -> Network:
    """A convolution, a depthwise and a dense layer; the weights of one of them zero."""
    made = Network()
    x = made.node("Relu", made.conv(made.input([1, 3, 16, 16]), 3, 16, 3, strides=[2, 2]))
    x = made.node("Relu", made.conv(x, 16, 16, 3, group=16))
    features = made.node("Flatten", made.node("GlobalAveragePool", x))
    made.output(made.node("Gemm", features, made.constant(made.weight(16, 10)), made.constant(made.vector(10))))
    if zeroed is not None:
        weights = [name for name, value in made.constants.items() if value.ndim > 1]
        made.constants[weights[zeroed]] *= 0
    return made


Ask = Callable[..., tuple[Compiled, list[Event]]]


@pytest.fixture
def ask(tmp_path: Path, preset: Target) -> Ask:
    """Compiles in a child; returns the module and the events before the result."""

    def request(made: Network, *logs: Path) -> tuple[Compiled, list[Event]]:
        onnx, out = made.save(tmp_path / "model.onnx"), tmp_path / "out"
        events: list[Event] = []
        out.mkdir(exist_ok=True)
        job = CompileJob(onnx=onnx, target=preset, threads=1, out=out, logs=logs)
        return Compiled(onnx, run_child("tvm_pipeline", job, Built, events.append, block=("torch",))), events

    return request


def record(**changes: Any) -> TuningRecord:
    values = {
        "threads": 1,
        "generator": "window/1",
        "decisions": {"rows": 4, "tile_h": 2, "tile_w": 4, "tile_v": 1},
        "seconds": 1e-6,
    }
    return TuningRecord(**{"layer": LAYERS[1], "record": MEASURED, "campaign": "a day", **values, **changes})


def _warnings(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Warned)]


def test_module_matches_onnx_runtime_and_its_kernels_are_defaults(ask: Ask, tmp_path: Path) -> None:
    compiled, events = ask(network())
    assert compiled.error() < 1e-5
    assert compiled.result.module == tmp_path / "out" / "module.so"
    assert compiled.result.inputs == (Tensor(name="input", shape=(1, 3, 16, 16), dtype="float32"),)
    outputs = [value.name for value in onnx.load(compiled.onnx).graph.output]
    assert compiled.result.outputs == (Tensor(name=outputs[0], shape=(1, 10), dtype="float32"),)
    assert not any("reshape" in kernel.name for kernel in compiled.result.kernels)  # a view, not a copy
    kernels = {kernel.layer: kernel for kernel in compiled.result.kernels}
    assert set(LAYERS) <= set(kernels)
    assert {kernel.record for kernel in kernels.values()} == {"default"}
    assert kernels[LAYERS[1]].generator == "window/1"
    assert {event.stage for event in events if isinstance(event, Progress)} >= {"importing", "linking"}
    assert _warnings(events) == []


def test_module_needs_nothing_of_this_project(compile_network: Callable[..., Compiled]) -> None:
    """A plain TVM loads it, in a process that cannot import the project, torch or ONNX."""
    compiled = compile_network(network())
    program = """
import json, sys
for name in ("tvm_pipeline", "mobilenet_tvm", "targets", "torch", "onnx"):
    sys.modules[name] = None
import numpy, tvm
from tvm import relax
machine = relax.VirtualMachine(tvm.runtime.load_module(sys.argv[1]), tvm.cpu())
print(json.dumps(machine["main"](tvm.runtime.tensor(numpy.load(sys.argv[2]))).numpy().tolist()))
"""
    (data,) = compiled.inputs()
    np.save(compiled.onnx.with_name("input.npy"), data)
    command = [sys.executable, "-c", program, str(compiled.result.module), str(compiled.onnx.with_name("input.npy"))]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=compiled.onnx.parent)
    (expected,) = run_onnxruntime(compiled.onnx, [data])
    assert share_of_range(np.array(json.loads(found.stdout)), expected) < 1e-5


@pytest.mark.parametrize("zeroed", [0, 1, 2])
def test_zeroing_a_layer_is_seen(zeroed: int, compile_network: Callable[..., Compiled], tmp_path: Path) -> None:
    broken = compile_network(network(zeroed))
    whole = Compiled(network().save(tmp_path / "whole.onnx"), broken.result)
    assert broken.error() < 1e-5
    assert whole.error() > 1e-2


def test_records_are_used_and_reported_or_warned_of(ask: Ask, tmp_path: Path) -> None:
    outdated = record(layer=LAYERS[2], generator="dense/0", decisions={"tile_n": 1, "unroll_k": 1})
    write_log(log_path(tmp_path / "logs", "x86-64-v3", "float32"), [record(), outdated])
    compiled, events = ask(network(), tmp_path / "logs")
    kernel = next(kernel for kernel in compiled.result.kernels if kernel.layer == LAYERS[1])
    assert (kernel.record, kernel.campaign, kernel.seconds) == ("measured", "a day", 1e-6)
    assert kernel.decisions == {"rows": 4, "tile_h": 2, "tile_w": 4, "tile_v": 1}
    assert [kernel.record for kernel in compiled.result.kernels].count("measured") == 1
    assert compiled.error() < 1e-5
    (warning,) = _warnings(events)
    assert LAYERS[2] in warning
    assert "default schedule" in warning


def test_record_of_another_epilogue_is_used_without_its_time(compile_network: Callable[..., Compiled]) -> None:
    other = record(layer="depthwise 8x8x16 k3x3 s1 p1 bias relu6")
    compiled = compile_network(network(), TuningLogs([other]))
    kernel = next(kernel for kernel in compiled.result.kernels if kernel.layer == LAYERS[1])
    assert (kernel.record, kernel.seconds) == ("measured", None)
    assert compiled.warnings == ()


UNFIT = {
    "a tile that does not divide": record(decisions={"rows": 4, "tile_h": 2, "tile_w": 3, "tile_v": 1}),
    "an unknown knob": record(decisions={"rows": 4, "tile_h": 2, "tile_w": 4, "tile_v": 1, "prefetch": 1}),
    "a knob less": record(decisions={"rows": 4}),
    "another version": record(generator="window/99"),
}


@pytest.mark.parametrize("why", UNFIT)
def test_record_that_no_longer_fits_is_passed_over_with_a_warning(
    why: str, compile_network: Callable[..., Compiled]
) -> None:
    compiled = compile_network(network(), TuningLogs([UNFIT[why]]))
    assert [message for message in compiled.warnings if LAYERS[1] in message and "default" in message]
    assert {kernel.record for kernel in compiled.result.kernels} == {"default"}
    assert compiled.error() < 1e-5


def test_user_error_reaches_the_parent_in_one_line(ask: Ask, tmp_path: Path) -> None:
    made = network()
    made.node("LSTM", made.outputs[0], made.constant(0.0), made.constant(0.0))
    with pytest.raises(UserError, match="operator LSTM"):
        ask(made)
    assert not list((tmp_path / "out").iterdir())
