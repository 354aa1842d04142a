"""Which record stands when a session's best is merged into a log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import STRASSEN, choices_path, read_choices
from mobilenet_tvm.base.logs.tuning_log import MEASURED, MODELLED, log_path, read_campaigns, read_log
from tvm_pipeline.backends.conditions import Conditions
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.tuning.in_network import Choosing, Verdict
from tvm_pipeline.tuning.journal import Timed
from tvm_pipeline.tuning.log_writer import VARIANT_GAIN, LogWriter
from tvm_pipeline.tuning.task import Best, Task

LAYER = Layer.parse("pointwise 14x14x64->64 bias relu")
MEASURING = Conditions(MEASURED, "a day", "local", "a CPU", "")
MODELLING = Conditions(MODELLED, "a modelled day", "none", "a core", "", model=3)


def _task(target: CpuTarget, threads: int = 1) -> Task:
    return Task({LAYER: 1}, {}, {}, target, threads, "float32")


def _best(seconds: float, rival_seconds: float | None = None) -> list[Best]:
    return [Best(LAYER, {"tile_m": int(seconds)}, seconds, 1, rival_seconds)]


@pytest.mark.parametrize(
    ("old", "new", "new_seconds", "replaces"),
    [
        (MEASURING, MEASURING, 9.0, True),
        (MEASURING, MEASURING, 11.0, False),
        (MODELLING, MODELLING, 9.0, True),
        (MODELLING, MODELLING, 11.0, False),
        (MODELLING, MEASURING, 11.0, True),
        (MEASURING, MODELLING, 9.0, False),
        (MODELLING, replace(MODELLING, campaign="another", model=4), 11.0, True),
    ],
    ids=["faster", "slower", "modelled-faster", "modelled-slower", "measured-over-modelled", "modelled-under-measured",
         "another-model"],
)  # fmt: skip
def test_which_record_stands(
    old: Conditions, new: Conditions, new_seconds: float, replaces: bool, tmp_path: Path, target: CpuTarget
) -> None:
    assert LogWriter(tmp_path, _task(target), old).write(_best(10.0), None) == {str(LAYER)}
    improved = LogWriter(tmp_path, _task(target), new).write(_best(new_seconds), None)
    (record,) = read_log(log_path(tmp_path, target.name, "float32"))
    winner = new if replaces else old
    assert improved == ({str(LAYER)} if replaces else set())
    assert (record.record, record.seconds) == (winner.record, new_seconds if replaces else 10.0)
    assert record.generator.startswith(generator_for(LAYER, target.unit).name)
    campaigns = read_campaigns(tmp_path, target.name)
    assert campaigns[record.campaign].get("model") == winner.model


def test_what_is_written_again_and_again_is_the_outcome_so_far(tmp_path: Path, target: CpuTarget) -> None:
    writer = LogWriter(tmp_path, _task(target), MEASURING)
    for seconds in (10.0, 9.0, 8.0):
        assert writer.write(_best(seconds), 2e-6) == {str(LAYER)}
        assert [record.seconds for record in read_log(writer.path)] == [seconds]
    (campaign,) = read_campaigns(tmp_path, target.name).values()
    assert (campaign["reference_kernel_seconds"], campaign["threads"]) == (2e-6, 1)


@pytest.mark.parametrize("gain", [1.0, VARIANT_GAIN])
def test_a_record_for_several_threads_must_beat_that_for_one(gain: float, tmp_path: Path, target: CpuTarget) -> None:
    writer = LogWriter(tmp_path, _task(target, threads=2), MEASURING)
    is_kept = gain >= VARIANT_GAIN
    assert bool(writer.write(_best(10.0, rival_seconds=10.0 * gain), None)) == is_kept
    assert len(read_log(writer.path)) == is_kept


def _verdict(*timed: tuple[int, float], choices: tuple[Choosing, ...] = ()) -> Verdict:
    """A network's for the layer: pairs of a choice and its seconds, the kept one first."""
    return Verdict("network", {LAYER: [Timed({"tile_m": tile}, value) for tile, value in timed]}, choices, 2.0, 1.0)


def test_what_a_network_judged_replaces_what_was_measured_alone(tmp_path: Path, target: CpuTarget) -> None:
    writer = LogWriter(tmp_path, _task(target), MEASURING)
    writer.write(_best(8.0), None)
    assert writer.keep(_verdict((9, 9.0), (8, 12.0))) == {str(LAYER)}
    (record,) = read_log(writer.path)
    assert (record.decisions, record.seconds) == ({"tile_m": 9}, 9.0)
    assert [*read_campaigns(tmp_path, target.name)] == [record.campaign], "the other one has no lines any more"
    later = LogWriter(tmp_path, _task(target), MEASURING)
    assert later.write(_best(1.0), None) == set(), "what a kernel takes alone says nothing against that"
    assert read_log(writer.path) == [record]


def test_slower_choices_of_other_cpus_are_kept_to_compare_with(tmp_path: Path, target: CpuTarget) -> None:
    task = replace(_task(target), elsewhere={LAYER: [{"tile_m": 4}]})
    writer = LogWriter(tmp_path, task, replace(MEASURING, cpu="znver5"))
    writer.keep(_verdict((9, 9.0), (8, 12.0), (4, 11.0)))
    assert [record.decisions["tile_m"] for record in read_log(writer.path)] == [9, 4]


@pytest.mark.parametrize("gain", [1.0, VARIANT_GAIN])
def test_so_must_one_that_a_network_judged(gain: float, tmp_path: Path, target: CpuTarget) -> None:
    task = replace(_task(target, threads=2), rivals={LAYER: {"tile_m": 1}})
    writer = LogWriter(tmp_path, task, MEASURING)
    writer.keep(_verdict((2, 10.0), (1, 10.0 * gain)))
    assert len(read_log(writer.path)) == (gain >= VARIANT_GAIN)


def test_choices_between_kernels_are_logged(tmp_path: Path, target: CpuTarget) -> None:
    choosing = Choosing(STRASSEN, LAYER, seconds_with=9e-5, seconds_without=1e-4)
    LogWriter(tmp_path, _task(target), MEASURING).keep(_verdict((9, 9.0), choices=(choosing,)))
    (record,) = read_choices(choices_path(tmp_path, target.name, "float32"))
    assert (record.layer, record.choice, record.is_taken) == (str(LAYER), STRASSEN, True)
