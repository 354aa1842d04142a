"""Kernels built as programs and modelled: counts that arithmetic foretells, and answers that repeat."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulation import needs_model
from tvm.s_tir import Schedule

import targets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MODELLED
from tvm_pipeline.backends.arm_model.measurement import ModelledMeasurement
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Space

LAYER = Layer.parse("pointwise 14x14x64->64 bias relu")
DEPTHWISE = Layer.parse("depthwise 14x14x32 k3x3 s1 p1 bias relu6")

pytestmark = needs_model


@pytest.fixture(scope="module")
def board() -> CpuTarget:
    return CpuTarget.from_json(targets.load("rpi4").to_json())


@pytest.fixture(scope="module")
def measurement(board: CpuTarget) -> Iterator[ModelledMeasurement]:
    with ModelledMeasurement(board, threads=1) as started:
        yield started


def _schedule(layer: Layer, target: CpuTarget) -> Schedule:
    space = Space.of(layer, target.unit)
    return space.schedule(space.default)


def _built(measurement: ModelledMeasurement, layer: Layer, target: CpuTarget) -> Path:
    return measurement.build(_schedule(layer, target))


@pytest.mark.parametrize("layer", [LAYER, DEPTHWISE], ids=lambda layer: layer.kind)
def test_a_kernel_executes_its_mult_adds(layer: Layer, measurement: ModelledMeasurement, board: CpuTarget) -> None:
    found = measurement.estimate(_built(measurement, layer, board), layer)
    assert found.instructions["fmla"] == layer.mult_adds / 4
    assert found.pipeline_cycles >= layer.mult_adds / 4  # one vector of four each cycle is the core's peak
    # its weights and what it writes come from memory or go there
    assert found.missed[-1].streamed + found.missed[-1].scattered >= layer.in_channels * layer.kernel[0] ** 2 * 4 / 64


def test_answers_repeat_to_the_last_digit(measurement: ModelledMeasurement, board: CpuTarget) -> None:
    first, second = (measurement.run(_built(measurement, LAYER, board), LAYER) for _ in range(2))
    assert first.error is None
    assert first.seconds == second.seconds
    assert measurement.is_repeatable
    assert (measurement.conditions.record, measurement.conditions.cpu_model) == (MODELLED, "cortex-a72")
    assert first.reference_seconds is None
    assert 1e-6 < first.seconds[0] < 1e-2


def test_an_artifact_is_deleted_and_a_bad_one_is_an_answer(measurement: ModelledMeasurement, board: CpuTarget) -> None:
    artifact = _built(measurement, LAYER, board)
    broken = artifact.with_name("broken")
    shutil.copy(artifact, broken)
    assert measurement.run(artifact, LAYER).error is None
    assert not artifact.exists()
    answer = measurement.run(broken, DEPTHWISE)  # other shapes than the kernel's
    assert answer.seconds == ()
    assert answer.error is not None
    assert "emulated program failed" in answer.error


def test_four_threads_are_faster_than_one_but_not_four_times(
    measurement: ModelledMeasurement, board: CpuTarget
) -> None:
    one = measurement.run(_built(measurement, LAYER, board), LAYER).seconds[0]
    with ModelledMeasurement(board, threads=4) as four:
        shared = four.run(_built(four, LAYER, board), LAYER).seconds[0]
    assert one / 4 < shared < one


def test_a_target_without_a_model_is_a_users_mistake(target: CpuTarget) -> None:
    with pytest.raises(UserError, match="no static model"):
        ModelledMeasurement(target, threads=1)


def test_missing_tools_are_named(board: CpuTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="apt install qemu-user"):
        ModelledMeasurement(board, threads=1)
