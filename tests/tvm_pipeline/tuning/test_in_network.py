"""Finalists inside a network: what is faster there is kept, of choices of a layer and of choices between kernels."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from onnx_network import Network

from mobilenet_tvm.base.jobs import NetworkFile
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.choice_log import FUSED
from mobilenet_tvm.base.protocol import Emit
from tvm_pipeline.backends.clock.network import NetworkClock, NetworkFailed, NetworkTimes
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules import Decisions
from tvm_pipeline.tuning.in_network import Judge, Verdict
from tvm_pipeline.tuning.journal import Journal
from tvm_pipeline.tuning.network_builds import Known, NetworkBuilds
from tvm_pipeline.tuning.networks import Networks
from tvm_pipeline.tuning.task import default_of

CHANNELS = 256
"""Their pointwise weights are as large as those of a fused layer may be: whether that pays is in doubt."""


class PlantedClock:
    """Answers with planted times in place of measured ones: per call a list of seconds, of each kernel and of all."""

    def __init__(self, *calls: Sequence[tuple[float, float]]) -> None:
        self._calls = list(calls)

    def measure(self, artifacts: Sequence[Path], *_: object) -> list[NetworkTimes]:
        planted = self._calls.pop(0)
        assert len(planted) == len(artifacts)
        assert all(path.exists() for path in artifacts)
        return [NetworkTimes(defaultdict(lambda kernel=kernel: kernel), whole) for kernel, whole in planted]


def _network(folder: Path, side: int = 10) -> NetworkFile:
    network = Network()
    depthwise = network.conv(network.input([1, CHANNELS, side, side]), CHANNELS, CHANNELS, 3, group=CHANNELS)
    network.output(network.conv(network.node("Relu", depthwise), CHANNELS, CHANNELS))
    return NetworkFile(name=f"side {side}", onnx=network.save(folder / f"{side}.onnx"))


def _builds(folder: Path, target: CpuTarget) -> NetworkBuilds:
    return NetworkBuilds(_network(folder), target, Known(), folder)


def _finalists(layer: Layer, target: CpuTarget) -> list[Decisions]:
    default = default_of(layer, target)
    return [default, {**default, "rows": 1}] if "rows" in default else [default]


def _judged(folder: Path, target: CpuTarget, *calls: Sequence[tuple[float, float]]) -> Verdict:
    clock = PlantedClock(*calls)
    judge = Judge("network", _builds(folder, target), clock, Journal(folder, 1), lambda _: None)  # type: ignore[arg-type]
    return judge.judge(lambda layer: _finalists(layer, target))


@pytest.mark.parametrize(
    ("whole", "rows", "after"), [(1.0, 1, 1.0), (3.0, None, 2.0)], ids=["faster-network", "slower-network"]
)
def test_the_faster_choice_of_a_layer_is_kept_where_the_network_gains(
    whole: float, rows: int | None, after: float, tmp_path: Path, target: CpuTarget
) -> None:
    """The second choice takes half as long; the halves of the layer, apart, longer than both."""
    verdict = _judged(tmp_path, target, [(1.0, 2.0), (0.5, 1.0)], [(1.0, 2.0), (0.5, whole), (0.9, 4.0)])
    ((layer, timed),) = verdict.layers.items()
    assert layer.kind == "separable"
    assert timed[0].decisions["rows"] == (rows or default_of(layer, target)["rows"])
    assert (verdict.before, verdict.after) == (2.0, after)
    assert [(one.choice, one.is_taken) for one in verdict.choices] == ([(FUSED, True)] if rows else [])


@pytest.mark.parametrize("whole", [0.8, 1.5])
def test_a_layer_is_taken_apart_where_its_halves_and_the_network_are_faster(
    whole: float, tmp_path: Path, target: CpuTarget
) -> None:
    calls = [(1.0, 2.0), (0.5, 1.0)], [(1.0, 2.0), (0.5, 1.0), (0.2, 4.0)], [(1.0, 2.0), (0.2, whole)]
    verdict = _judged(tmp_path, target, *calls)
    assert verdict.after == min(whole, 1.0)
    apart = [(one.choice, one.seconds_with, one.seconds_without, one.is_taken) for one in verdict.choices]
    assert apart == ([(FUSED, 0.5, 0.4, False)] if whole < 1.0 else [])


def test_networks_are_timed_and_one_that_does_not_load_is_named(tmp_path: Path, target: CpuTarget) -> None:
    builds = _builds(tmp_path, target)
    build = builds.build({}, {})
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    with NetworkClock(threads=1) as clock:
        (times,) = clock.measure([build.artifact], builds.inputs, 0.01)
        assert {name for names in build.names.values() for name in names} <= set(times.kernels)
        assert 0 < sum(times.kernels.values()) < 10 * times.whole
        with pytest.raises(NetworkFailed):
            clock.measure([broken], builds.inputs, 0.01)


def test_each_network_is_judged_and_the_next_begins_from_what_it_kept(tmp_path: Path, target: CpuTarget) -> None:
    """Of two networks in one process each has kernels of its own, and none is left out."""
    told = io.StringIO()
    files = [_network(tmp_path, side) for side in (10, 20)]
    networks = Networks(files, target, Known(), Emit(told))
    journal = Journal(tmp_path, 1)
    arguments = (NetworkClock(threads=1), journal, lambda layer: _finalists(layer, target), lambda: False)
    verdicts = list(networks.judge(*arguments))
    assert [verdict.name for verdict in verdicts] == ["side 10", "side 20"]
    assert all(0 < verdict.after <= verdict.before for verdict in verdicts)
    assert "warning" not in told.getvalue()
    assert list(networks.judge(*arguments)) == [], "all of it is on disk"
