"""Choices between kernels: what is written is read back, what is wrong is named, and the right record answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layers import layers

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import KINDS, Layer
from mobilenet_tvm.base.logs.choice_log import (
    FUSED,
    PARALLEL,
    STRASSEN,
    ChoiceRecord,
    LoggedChoices,
    choices_path,
    read_choices,
    write_choices,
)

LAYER = Layer.parse("pointwise 14x14x512->512 bias relu")
OTHER_EPILOGUE = Layer.parse("pointwise 14x14x512->512 bias")


def record(ratio: float, cpu: str | None = "znver5", layer: Layer = LAYER, threads: int = 1) -> ChoiceRecord:
    """:param ratio: of the seconds with the choice to those without it."""
    return ChoiceRecord(
        layer=str(layer),
        threads=threads,
        choice=STRASSEN,
        seconds_with=ratio * 1e-4,
        seconds_without=1e-4,
        campaign="a day",
        cpu=cpu,
    )


_records = st.builds(
    ChoiceRecord,
    layer=layers(KINDS).map(str),
    threads=st.integers(1, 4),
    choice=st.sampled_from((FUSED, STRASSEN, PARALLEL)),
    seconds_with=st.integers(1, 9999).map(lambda figure: float(f"{figure}e-7")),
    seconds_without=st.integers(1, 9999).map(lambda figure: float(f"{figure}e-7")),
    campaign=st.text(max_size=20),
    cpu=st.sampled_from((None, "znver4", "znver5")),
)


@given(st.lists(_records, unique_by=lambda one: one.key))
def test_written_records_are_read_back(tmp_path_factory: pytest.TempPathFactory, records: list[ChoiceRecord]) -> None:
    path = choices_path(tmp_path_factory.mktemp("logs"), "x86-64-v4", "float32")
    write_choices(path, records)
    assert read_choices(path) == sorted(records, key=lambda one: one.key)


@pytest.mark.parametrize("line", ["{", "[]", '{"schema": 2}', record(0.9).to_line().replace("strassen", "winograd")])
def test_a_broken_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "float32.jsonl"
    path.write_text(record(0.9).to_line() + "\n" + line + "\n")
    with pytest.raises(UserError, match=r"float32\.jsonl line 2 is not a record of a choice"):
        read_choices(path)


@pytest.mark.parametrize(
    ("records", "cpu", "taken"),
    [
        ([], "znver5", None),
        ([record(0.9)], "znver5", True),
        ([record(1.1)], "znver5", False),
        ([record(0.9), record(1.1, "znver4")], "znver4", False),
        ([record(0.9), record(1.1, "znver2")], "znver3", False),
        ([record(0.9, threads=2)], "znver5", None),
        ([record(1.1, layer=OTHER_EPILOGUE)], "znver5", False),
        ([record(0.9), record(1.1, layer=OTHER_EPILOGUE)], "znver5", True),
        ([record(0.8), record(1.05, "icelake-server")], None, True),
        ([record(0.95), record(1.2, "icelake-server")], None, False),
        ([record(0.95)], None, None),
        ([record(0.85), record(1.2, "icelake-server")], None, None),
    ],
    ids=["none", "gains", "loses", "own-cpu", "nearest-cpu", "other-threads", "other-epilogue", "own-epilogue",
         "loses-less-with", "loses-less-without", "hardly-gains", "as-much-either-way"],
)  # fmt: skip
def test_what_the_records_say(records: list[ChoiceRecord], cpu: str | None, taken: bool | None) -> None:
    for ordered in (records, records[::-1]):
        assert LoggedChoices(ordered, 1, cpu).taken(STRASSEN, LAYER) is taken
        assert LoggedChoices(ordered, 1, cpu).taken(FUSED, LAYER) is None


def test_what_is_forced_goes_before_the_records() -> None:
    choices = LoggedChoices([record(0.9)], 1, "znver5").forcing({(STRASSEN, str(LAYER)): False})
    assert choices.taken(STRASSEN, LAYER) is False
    assert choices.taken(STRASSEN, OTHER_EPILOGUE) is True
    assert choices.forcing({(STRASSEN, str(LAYER)): True}).taken(STRASSEN, LAYER) is True
