"""Tuning logs: what is written is read back, what is wrong is named, and the best record is found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layers import layers

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import KINDS, Layer
from mobilenet_tvm.base.logs.choice_log import read_choices, write_choices
from mobilenet_tvm.base.logs.tuning_log import (
    MEASURED,
    MODELLED,
    UNMEASURED_LOSS,
    TuningLogs,
    TuningRecord,
    log_path,
    parse_line,
    read_campaigns,
    read_log,
    write_campaigns,
    write_log,
)
from mobilenet_tvm.base.paths import builtin_logs_dir

LAYER = Layer.parse("pointwise 8x8x16->16 bias relu")


def record(layer: Layer | str = LAYER, seconds: float = 1e-5, **changes: object) -> TuningRecord:
    standard = {"threads": 1, "generator": "pointwise/1", "decisions": {"tile_m": 8}, "record": MEASURED}
    return TuningRecord(**{"layer": str(layer), "seconds": seconds, "campaign": "a day", **standard, **changes})  # type: ignore[arg-type]


_records = st.builds(
    record,
    layer=layers(KINDS),
    seconds=st.integers(1, 9999).map(lambda figure: float(f"{figure}e-7")),
    threads=st.integers(1, 4),
    decisions=st.dictionaries(st.text("abc_", min_size=1), st.integers(0, 64)),
    record=st.sampled_from((MEASURED, MODELLED)),
    campaign=st.text(max_size=20),
    cpu=st.sampled_from((None, "znver4", "znver5")),
)


@given(st.lists(_records, unique_by=lambda one: one.key))
def test_written_records_are_read_back(tmp_path_factory: pytest.TempPathFactory, records: list[TuningRecord]) -> None:
    path = tmp_path_factory.mktemp("logs") / "target" / "float32.jsonl"
    write_log(path, records)
    read = read_log(path)
    assert {record.key: record for record in read} == {record.key: record for record in records}
    assert [record.slot for record in read] == sorted(record.slot for record in records)


def test_checked_in_logs_are_written_back_as_they_were(tmp_path: Path) -> None:
    logs = builtin_logs_dir()
    for path in logs.glob("*/*.jsonl"):
        write_log(tmp_path / path.relative_to(logs), read_log(path))
        write_campaigns(tmp_path, path.parent.name, read_campaigns(logs, path.parent.name))
    for path in logs.glob("*/choices/*.jsonl"):
        write_choices(tmp_path / path.relative_to(logs), read_choices(path))
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json*")}
    assert written == {path.relative_to(logs): path.read_bytes() for path in logs.rglob("*.json*")}
    assert len(written) >= 10


def test_missing_log_has_no_records(tmp_path: Path) -> None:
    assert read_log(tmp_path / "float32.jsonl") == []
    assert read_campaigns(tmp_path, "x86-64-v3") == {}


def test_campaigns_are_read_back(tmp_path: Path) -> None:
    campaigns = {"a day": {"cpu_model": "a CPU", "threads": 1}}
    write_campaigns(tmp_path, "x86-64-v3", campaigns)
    assert read_campaigns(tmp_path, "x86-64-v3") == campaigns


def test_broken_campaigns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x86-64-v3" / "campaigns.json"
    path.parent.mkdir()
    path.write_text('{"a day": ')
    with pytest.raises(UserError, match=r"campaigns\.json"):
        read_campaigns(tmp_path, "x86-64-v3")


def _changed(**changes: object) -> str:
    values = {**json.loads(record().to_line()), **changes}
    return json.dumps({key: value for key, value in values.items() if value is not None})


def test_newer_schema_says_to_upgrade() -> None:
    with pytest.raises(UserError, match="here has schema 2, this version knows 1: upgrade"):
        parse_line(_changed(schema=2), "here")


@pytest.mark.parametrize(
    "line",
    [
        record().to_line()[:40],
        "[1, 2]",
        "7",
        "null",
        '"text"',
        "{}",
        _changed(decisions=None),
        _changed(schema=None),
        _changed(layer="conv3d 8x8x8"),
        _changed(layer=7),
        _changed(threads="two"),
        _changed(decisions=["tile_m"]),
        _changed(decisions={"tile_m": "eight"}),
        _changed(seconds="fast"),
        _changed(record="guessed"),
    ],
)
def test_broken_line_is_named_by_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "float32.jsonl"
    path.write_text(record().to_line() + "\n\n" + line + "\n")
    with pytest.raises(UserError, match=r"float32\.jsonl line 3"):
        read_log(path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "float32.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"float32\.jsonl"):
        read_log(path)


def test_a_line_that_names_no_cpu_is_read() -> None:
    assert "cpu" not in json.loads(record().to_line())
    assert parse_line(_changed(), "here").cpu is None
    assert parse_line(_changed(cpu="znver5"), "here").cpu == "znver5"


OTHER_EPILOGUE = Layer.parse("pointwise 8x8x16->16 bias")

_PREFERRED = {  # each pair: what wins, and what loses although it is better in everything that counts less
    "its own epilogue": (record(seconds=9e-5, record=MODELLED, threads=2), record(OTHER_EPILOGUE)),
    "measured": (record(seconds=9e-5, threads=2), record(record=MODELLED)),
    "the asked thread count": (record(seconds=9e-5), record(threads=2)),
    "the shorter time": (record(seconds=1e-5), record(seconds=2e-5)),
}


@pytest.mark.parametrize("reason", _PREFERRED)
@pytest.mark.parametrize("is_first", [True, False])
def test_better_record_is_found(reason: str, is_first: bool) -> None:
    winner, loser = _PREFERRED[reason]
    found = TuningLogs([winner, loser] if is_first else [loser, winner]).find(LAYER, threads=1)
    assert found is not None
    assert found.record == winner
    assert found.exact


def test_record_of_another_epilogue_is_found_and_said_to_be_one() -> None:
    found = TuningLogs([record(OTHER_EPILOGUE)]).find(LAYER, threads=1)
    assert found is not None
    assert found.record.layer == str(OTHER_EPILOGUE)
    assert not found.exact


def _on(cpu: str | None, choice: int, seconds: float) -> TuningRecord:
    return record(seconds=seconds, cpu=cpu, decisions={"tile_m": choice})


@pytest.mark.parametrize(
    ("cpu", "choice"),
    [("znver5", 5), ("znver4", 4), ("znver3", 4), ("sapphirerapids", 7), ("haswell", 7), ("cortex-a72", 5)],
)
def test_a_cpu_gets_its_own_choice_or_the_nearest_ones(cpu: str, choice: int) -> None:
    records = [_on("znver4", 4, 4e-5), _on("icelake-server", 7, 3e-5), _on("znver5", 5, 2e-5), _on("znver5", 4, 3e-5)]
    match = TuningLogs(records, cpu=cpu).find(LAYER, threads=1)
    assert match is not None
    assert match.record.decisions == {"tile_m": choice}


def test_what_names_no_cpu_is_taken_for_this_ones_kin() -> None:
    old, other, own = _on(None, 1, 9e-5), _on("icelake-server", 2, 1e-5), _on("znver5", 3, 1e-4)
    for records, choice in (([old, other], 1), ([old, other, own], 3)):
        match = TuningLogs(records, cpu="znver5").find(LAYER, threads=1)
        assert match is not None
        assert match.record.decisions == {"tile_m": choice}


_TIMES = st.dictionaries(
    st.sampled_from(("znver4", "znver5", "sapphirerapids")), st.integers(10, 999), min_size=1, max_size=3
)


@given(st.dictionaries(st.integers(0, 4), _TIMES, min_size=1))
def test_a_target_gets_the_choice_that_loses_least_on_its_worst_cpu(times: dict[int, dict[str, int]]) -> None:
    records = [
        _on(cpu, choice, 1e-6 * seconds) for choice, of_cpus in times.items() for cpu, seconds in of_cpus.items()
    ]
    match = TuningLogs(records).find(LAYER, threads=1)
    assert match is not None
    best = {cpu: min(of_cpus.get(cpu, 1000) for of_cpus in times.values()) for of in times.values() for cpu in of}

    def loss(choice: int) -> float:
        of_cpus = times[choice]
        return max(of_cpus[cpu] / best[cpu] if cpu in of_cpus else UNMEASURED_LOSS for cpu in best)

    assert loss(match.record.decisions["tile_m"]) == pytest.approx(min(map(loss, times)))


@pytest.mark.parametrize("slow", ["znver5", "znver4"])
def test_seconds_of_two_cpus_are_not_compared(slow: str) -> None:
    """Each measured its own choice alone: a slower CPU's is as good, and a new campaign changes nothing."""
    fast = {"znver4": "znver5", "znver5": "znver4"}[slow]
    older = record(seconds=9e-5, cpu=slow, decisions={"tile_m": 1}, campaign="2026-01-01 a day")
    newer = record(seconds=1e-5, cpu=fast, decisions={"tile_m": 2}, campaign="2026-02-01 a day")
    for records in ([older, newer], [newer, older]):
        match = TuningLogs(records).find(LAYER, threads=1)
        assert match is not None
        assert match.record == older


def test_seconds_of_layers_with_other_epilogues_are_not_compared() -> None:
    """With another epilogue the choice was the best that its layer had, though the layer takes longer."""
    layers_ = [Layer.parse(f"pointwise 8x8x16->16 bias{more}") for more in ("", " tanh")]
    cheap = record(layers_[0], seconds=2e-5, cpu="znver5", decisions={"tile_m": 1}, campaign="2026-02-01")
    rival = record(layers_[0], seconds=1e-5, cpu="znver5", decisions={"tile_m": 2}, campaign="2026-02-01")
    dear = record(layers_[1], seconds=9e-5, cpu="znver5", decisions={"tile_m": 3}, campaign="2026-01-01")
    match = TuningLogs([cheap, rival, dear]).find(LAYER, threads=1)
    assert match is not None
    assert match.record == dear


def test_the_choices_of_other_cpus() -> None:
    records = [_on("znver4", 4, 4e-5), _on("znver4", 8, 5e-5), _on("icelake-server", 4, 3e-5), _on("znver5", 5, 2e-5)]
    records.append(record(seconds=1e-6, cpu="skylake", generator="pointwise/0"))
    logs = TuningLogs(records, cpu="znver5")
    assert logs.choices_elsewhere(LAYER, 1, "pointwise/1") == [{"tile_m": 4}]
    assert logs.choices_elsewhere(LAYER, 2, "pointwise/1") == []


def test_unknown_layer_is_not_found() -> None:
    assert TuningLogs([record()]).find(Layer.parse("pointwise 8x8x16->32 bias relu"), threads=1) is None


def test_record_of_another_generator_version_hides_no_other() -> None:
    current = record(seconds=9e-5, generator="pointwise/2")
    found = TuningLogs([record(), current]).find(LAYER, threads=1, generator="pointwise/2")
    assert found is not None
    assert found.record == current
    assert TuningLogs([record()]).find(LAYER, threads=1, generator="pointwise/2") is None


def test_first_folder_wins_over_a_faster_time_from_another_machine(tmp_path: Path) -> None:
    for folder, seconds in (("own", 9e-5), ("builtin", 1e-5)):
        write_log(log_path(tmp_path / folder, "v3", "float32"), [record(seconds=seconds)])
    logs = TuningLogs.load([tmp_path / "own", tmp_path / "builtin"], ["v3"], "float32")
    found = logs.find(LAYER, threads=1)
    assert found is not None
    assert found.record.seconds == 9e-5


def test_own_target_wins_over_an_inherited_one(tmp_path: Path) -> None:
    for target, seconds in (("v4-vnni", 9e-5), ("v4", 1e-5)):
        write_log(log_path(tmp_path, target, "float32"), [record(seconds=seconds)])
    found = TuningLogs.load([tmp_path], ["v4-vnni", "v4"], "float32").find(LAYER, threads=1)
    assert found is not None
    assert found.record.seconds == 9e-5


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_network_may_be_quantised_in_part(tmp_path: Path, dtype: str) -> None:
    of_bytes = Layer.parse("int8 pointwise 8x8x16->16 requantise")
    write_log(log_path(tmp_path, "v4", "float32"), [record(seconds=1e-5)])
    write_log(log_path(tmp_path, "v4", "int8"), [record(of_bytes, seconds=2e-5)])
    logs = TuningLogs.load([tmp_path], ["v4"], dtype)
    for layer, seconds in ((LAYER, 1e-5), (of_bytes, 2e-5)):
        match = logs.find(layer, threads=1)
        assert match is not None
        assert match.record.seconds == seconds
    assert TuningLogs.load([tmp_path], ["v4"], "bfloat16").find(LAYER, threads=1) is None


@pytest.fixture
def _interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)  # the last step of a write: the moment of most to lose
        yield


@pytest.mark.usefixtures("_interrupted")
def test_interrupted_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "float32.jsonl"
    path.write_text(record().to_line() + "\n")
    with pytest.raises(KeyboardInterrupt):
        write_log(path, [])
    assert list(tmp_path.iterdir()) == [path]
    assert read_log(path) == [record()]
