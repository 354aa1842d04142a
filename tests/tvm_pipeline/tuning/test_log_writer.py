"""Which record stands when a session's best is merged into a log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mobilenet_tvm.base.layer import Layer
from mobilenet_tvm.base.tuning_log import MEASURED, MODELLED, log_path, read_campaigns, read_log
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules import generator_for
from tvm_pipeline.tuning.log_writer import Conditions, LogWriter
from tvm_pipeline.tuning.session import Best

LAYER = Layer.parse("pointwise 14x14x64->64 bias relu")
MEASURING = Conditions(MEASURED, "a day", "local", "a CPU", "")
MODELLING = Conditions(MODELLED, "a modelled day", "none", "a core", "", model=3)


@dataclass
class Outcome:
    """As much of a session as is written down."""

    seconds: float
    reference_seconds: float | None = None

    def best(self) -> list[Best]:
        return [Best(LAYER, {"tile_m": int(self.seconds)}, self.seconds, 1)]


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
    assert LogWriter(tmp_path, target, 1, "float32", old).write(Outcome(10.0)) == {str(LAYER)}  # type: ignore[arg-type]
    improved = LogWriter(tmp_path, target, 1, "float32", new).write(Outcome(new_seconds))  # type: ignore[arg-type]
    (record,) = read_log(log_path(tmp_path, target.name, "float32"))
    winner = new if replaces else old
    assert improved == ({str(LAYER)} if replaces else set())
    assert (record.record, record.seconds) == (winner.record, new_seconds if replaces else 10.0)
    assert record.generator.startswith(generator_for(LAYER, target.unit).name)
    campaigns = read_campaigns(tmp_path, target.name)
    assert campaigns[record.campaign].get("model") == winner.model
