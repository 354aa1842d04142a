"""The warm workers: they measure, and one that dies or hangs costs its own trial alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from tvm.s_tir import Schedule

from mobilenet_tvm.base.host_cpu import host_features, host_model
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MEASURED
from tvm_pipeline.backends.backend import BuildFailed
from tvm_pipeline.backends.clock import measurement as measurement_module
from tvm_pipeline.backends.clock.measurement import Cores, Measurement
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Space

LAYER = Layer.parse("pointwise 7x7x16->16 bias")


@pytest.fixture(scope="module")
def measurement(target: CpuTarget) -> Iterator[Measurement]:
    with Measurement(target, threads=1) as started:
        yield started


@pytest.fixture(scope="module")
def schedule(target: CpuTarget) -> Schedule:
    space = Space.of(LAYER, target.unit)
    return space.schedule(space.default)


def _worker(name: str) -> psutil.Process:
    return next(child for child in psutil.Process().children() if child.cmdline()[-1] == name)


def test_kernel_is_built_and_timed(measurement: Measurement, schedule: Schedule) -> None:
    artifact = measurement.build(schedule)
    answer = measurement.run(artifact, LAYER)
    assert answer.error is None
    assert len(answer.seconds) >= 3
    assert all(1e-8 < second < 1e-2 for second in answer.seconds)
    assert answer.reference_seconds is not None
    assert answer.reference_seconds > 0
    assert not artifact.exists()


def test_builds_asked_for_at_once_get_their_own_answers(measurement: Measurement, schedule: Schedule) -> None:
    with ThreadPoolExecutor(4) as threads:
        artifacts = list(threads.map(measurement.build, [schedule] * 8))
    assert len(set(artifacts)) == 8
    assert all(artifact.exists() for artifact in artifacts)


def test_dead_builder_costs_one_build(measurement: Measurement, schedule: Schedule) -> None:
    assert measurement.build(schedule).exists()
    os.kill(_worker("Compiler").pid, signal.SIGKILL)
    with pytest.raises(BuildFailed, match="the worker process died"):
        measurement.build(schedule)
    assert measurement.build(schedule).exists()


def test_hanging_runner_costs_one_trial(
    measurement: Measurement, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurement.run(measurement.build(schedule), LAYER)
    hanging = _worker("Measurer")
    hanging.suspend()
    with monkeypatch.context() as patch:
        patch.setattr(measurement_module, "RUN_TIMEOUT", 0.3)
        answer = measurement.run(measurement.build(schedule), LAYER)
    assert answer.seconds == ()
    assert answer.error is not None
    assert answer.error.startswith("no answer within")
    assert not hanging.is_running()
    assert measurement.run(measurement.build(schedule), LAYER).error is None


def test_kernel_that_does_not_load_is_an_answer(measurement: Measurement, schedule: Schedule) -> None:
    artifact = measurement.build(schedule)
    artifact.write_bytes(b"no shared object")
    answer = measurement.run(artifact, LAYER)
    assert answer.seconds == ()
    assert answer.error
    assert measurement.run(measurement.build(schedule), LAYER).error is None


def test_building_keeps_off_the_cores_that_measure() -> None:
    cores = Cores.split(threads=1)
    available = os.sched_getaffinity(0)
    assert len(cores.running) == 1
    assert cores.running | cores.building <= available
    assert cores.overlap == (len(available) == 1)
    assert Cores.split(threads=len(available)).overlap


def test_what_a_log_says_of_it(target: CpuTarget) -> None:
    found = Measurement(target, threads=2).conditions
    assert (found.record, found.device, found.cpu_model) == (MEASURED, "local", host_model())
    assert found.campaign.endswith(" 2t")
    assert bool(found.remarks) == ("avx512f" in host_features()), "the target is AVX2"
