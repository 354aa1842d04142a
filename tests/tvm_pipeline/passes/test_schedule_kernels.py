"""Kernels are scheduled by what was measured of choices between them."""

from __future__ import annotations

from pathlib import Path

import pytest
import tvm
from onnx_network import Network

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import FUSED, PARALLEL, LoggedChoices
from mobilenet_tvm.base.logs.tuning_log import TuningLogs
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import import_onnx
from tvm_pipeline.passes.pipeline import lower
from tvm_pipeline.passes.schedule_kernels import schedule_kernels

LAYER = "separable 10x10x64->64 k3x3 s1 p1 bias then bias"


def _scheduled(folder: Path, target: CpuTarget, forced: dict[tuple[str, str], bool]) -> tuple[str, list[str]]:
    """The scheduled kernels' text, and their layers."""
    network = Network()
    depthwise = network.conv(network.input([1, 64, 10, 10]), 64, 64, 3, group=64)
    network.output(network.conv(depthwise, 64, 64))
    unit = target.with_choices(LoggedChoices(threads=2).forcing(forced)).unit
    with target.tvm:
        module = lower(import_onnx(network.save(folder / "network.onnx")), unit)
        scheduled, kernels = schedule_kernels(module, TuningLogs([]), unit, 2, pytest.fail)
    text = "\n".join(str(function) for _, function in scheduled.functions_items() if _is_kernel(function))
    return text, [kernel.layer for kernel in kernels if kernel.layer is not None]


def _is_kernel(function: tvm.ir.BaseFunc) -> bool:
    return isinstance(function, tvm.tirx.PrimFunc)


def test_a_layer_that_loses_by_a_second_thread_runs_on_one(tmp_path: Path, target: CpuTarget) -> None:
    for forced, is_shared_out in (({}, True), ({(PARALLEL, LAYER): False}, False)):
        text, layers = _scheduled(tmp_path, target, forced)
        assert layers == [LAYER]
        assert ("T.parallel(" in text) == is_shared_out


def test_layers_are_fused_or_not_as_was_measured(tmp_path: Path, target: CpuTarget) -> None:
    for forced, kinds in (({}, ["separable"]), ({(FUSED, LAYER): False}, ["depthwise", "pointwise"])):
        _, layers = _scheduled(tmp_path, target, forced)
        assert sorted(Layer.parse(layer).kind for layer in layers) == kinds
