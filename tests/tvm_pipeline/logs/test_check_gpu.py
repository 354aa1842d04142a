"""Every line of a GPU's log is replayed and compiled; those that no longer apply are named."""

from __future__ import annotations

from typing import Any

import targets
from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.logs.tuning_log import MODELLED, TuningRecord
from tvm_pipeline.hardware.target import GpuTarget
from tvm_pipeline.logs.check import check_records
from tvm_pipeline.schedules import label_of
from tvm_pipeline.schedules.space import Space

GPU = GpuTarget.from_json(targets.load("a100").to_json())


def record(descriptor: str, **changes: Any) -> TuningRecord:
    """The rule's choice for a layer."""
    space = Space.of(Layer.parse(descriptor), GPU.unit)
    values: dict[str, Any] = {
        "threads": 1,
        "generator": label_of(space.generator),
        "decisions": dict(space.decisions(space.default)),
        "seconds": 1e-5,
        "record": MODELLED,
        "campaign": "a day",
    }
    return TuningRecord(**{"layer": descriptor, **values, **changes})


def test_good_records_pass_and_others_are_named_with_the_reason() -> None:
    layer = "depthwise 14x14x64 k3x3 s1 p1 bias relu"
    records = [
        record(layer),
        record("dense 64->32 bias"),
        record(layer, generator="gpu_window/0"),
        record(layer, decisions={"tile_c": 5}),
    ]
    done: list[int] = []
    found = check_records(records, GPU, can_run=False, on_checked=done.append)
    assert done == [1, 2, 3, 4]
    assert found.checked == 4
    outdated, outside = found.failed
    assert (outdated.layer, outside.layer) == (layer, layer)
    assert "made by generator gpu_window/0" in outdated.error
    assert "not in the generator's space" in outside.error
