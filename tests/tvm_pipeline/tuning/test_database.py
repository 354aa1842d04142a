"""A database that a kill cut anywhere loses what was cut and nothing else."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tvm.s_tir import meta_schedule as ms

import targets
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.schedules.space import Choice, Space, choice_of_trace
from tvm_pipeline.tuning.database import RECORDS, WORKLOADS, TrialDatabase, claim, repair

LAYERS = ("dense 16->8", "pointwise 4x4x8->8 bias", "depthwise 4x4x8 k3x3 s1 p1")


def _space(descriptor: str, target: CpuTarget) -> Space:
    layer = Layer.parse(descriptor)
    return Space.of(layer, target.unit)


def _choices(space: Space, count: int) -> list[Choice]:
    default = space.generator.default(space.layer, space.unit)
    name, values = next(iter(space.knobs.items()))
    found = [space.choice({**default, name: value}) for value in values[:count]]
    return [choice for choice in found if choice is not None]


def _fill(directory: Path, target: CpuTarget, threads: int = 1) -> list[tuple[str, Choice, list[float] | None]]:
    """Trials of all layers by turns; what was written."""
    database = TrialDatabase(directory, target, threads, warn=pytest.fail)
    written: list[tuple[str, Choice, list[float] | None]] = []
    for turn in range(2):
        for descriptor in LAYERS:
            space = _space(descriptor, target)
            choice = _choices(space, 2)[turn % len(_choices(space, 2))]
            seconds = None if descriptor == LAYERS[2] and turn else [1e-6 * (1 + len(written)), 2e-6]
            database.add(descriptor, space.module(), space.schedule(choice), seconds or [])
            written.append((descriptor, choice, seconds))
    return written


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, target: CpuTarget) -> tuple[bytes, bytes]:
    directory = tmp_path_factory.mktemp("whole")
    _fill(directory, target)
    return (directory / WORKLOADS).read_bytes(), (directory / RECORDS).read_bytes()


_READ = """
import sys
from tvm_pipeline import skip_tensor_intrinsics
skip_tensor_intrinsics()
import targets
from tvm_pipeline.hardware.target import Target
from tvm_pipeline.tuning.database import TrialDatabase
from pathlib import Path
target = Target.from_json(targets.load("x86-64-v4-vnni").to_json())
print(len(list(TrialDatabase(Path(sys.argv[1]), target, 1, warn=sys.exit).trials())))
"""


def test_a_new_process_knows_the_instructions_of_earlier_trials(tmp_path: Path) -> None:
    target = CpuTarget.from_json(targets.load("x86-64-v4-vnni").to_json())
    database = TrialDatabase(tmp_path, target, 1, warn=pytest.fail)
    for channels in (8, 16):
        space = _space(f"int8 pointwise 4x4x8->{channels} requantise", target)
        database.add(str(space.layer), space.module(), space.schedule(space.default), [1e-6])
    child = subprocess.run([sys.executable, "-c", _READ, str(tmp_path)], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.split()[-1] == "2"


def test_trials_are_read_back(tmp_path: Path, target: CpuTarget) -> None:
    written = _fill(tmp_path, target)
    found = []
    for descriptor, trace, seconds in TrialDatabase(tmp_path, target, 1, warn=pytest.fail).trials():
        choice = choice_of_trace(trace, _space(descriptor, target))
        found.append((descriptor, choice, seconds))
    assert sorted(found, key=str) == sorted(written, key=str)


def test_every_trial_is_on_disk_when_it_is_added(tmp_path: Path, target: CpuTarget) -> None:
    database = TrialDatabase(tmp_path, target, 1, warn=pytest.fail)
    space = _space(LAYERS[1], target)
    for count, choice in enumerate(_choices(space, 3), 1):
        database.add(LAYERS[1], space.module(), space.schedule(choice), [1e-6])
        assert len((tmp_path / RECORDS).read_text().splitlines()) == count


def test_times_of_another_thread_count_are_kept_apart(tmp_path: Path, target: CpuTarget) -> None:
    written = _fill(tmp_path, target, threads=2)
    assert list(TrialDatabase(tmp_path, target, 1, warn=pytest.fail).trials()) == []
    assert len(list(TrialDatabase(tmp_path, target, 2, warn=pytest.fail).trials())) == len(written)


def _whole_lines(content: bytes, cut: int) -> list[bytes]:
    """The lines that a cut left whole, with or without their line feed."""
    lines = content.split(b"\n")[:-1]
    ends = itertools.accumulate(len(line) + 1 for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end - 1 <= cut]


def _offsets(content: bytes) -> st.SearchStrategy[int]:
    """Anywhere, and often near the end of a line."""
    ends = [index for index, byte in enumerate(content) if byte == ord("\n")]
    near = [min(max(end + step, 0), len(content)) for end in ends for step in (-1, 0, 1, 2)]
    return st.sampled_from([0, *near, len(content)]) | st.integers(0, len(content))


@given(data=st.data())
@settings(max_examples=100)
def test_no_whole_line_is_lost(
    data: st.DataObject,
    files: tuple[bytes, bytes],
    target: CpuTarget,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("cut")
    cuts = [data.draw(_offsets(content)) for content in files]
    for name, content, cut in zip((WORKLOADS, RECORDS), files, cuts, strict=True):
        (directory / name).write_bytes(content[:cut])
    workloads, records = (_whole_lines(content, cut) for content, cut in zip(files, cuts, strict=True))
    usable = [line for line in records if int(line[1 : line.index(b",")]) < len(workloads)]

    warnings: list[str] = []
    repair(directory, warnings.append)
    assert (directory / WORKLOADS).read_bytes() == b"".join(line + b"\n" for line in workloads)
    assert (directory / RECORDS).read_bytes() == b"".join(line + b"\n" for line in usable)
    is_cut = [cut > sum(len(line) + 1 for line in lines) for cut, lines in zip(cuts, (workloads, records), strict=True)]
    assert bool(warnings) == (any(is_cut) or len(usable) < len(records))
    assert len(ms.database.JSONDatabase(work_dir=str(directory))) == len(usable)

    again: list[str] = []
    repair(directory, again.append)
    assert again == []


def test_cut_database_is_written_on(tmp_path: Path, files: tuple[bytes, bytes], target: CpuTarget) -> None:
    (tmp_path / WORKLOADS).write_bytes(files[0])
    (tmp_path / RECORDS).write_bytes(files[1][:-20])
    warnings: list[str] = []
    database = TrialDatabase(tmp_path, target, 1, warnings.append)
    assert len(warnings) == 1
    assert "1 unfinished line(s) dropped" in warnings[0]
    before = len(list(database.trials()))
    space = _space("dense 16->40", target)
    (choice,) = _choices(space, 1)
    database.add("dense 16->40", space.module(), space.schedule(choice), [1e-6])
    assert len(list(TrialDatabase(tmp_path, target, 1, warn=pytest.fail).trials())) == before + 1


def test_only_one_process_at_a_time_tunes_in_a_folder(tmp_path: Path) -> None:
    lock = claim(tmp_path / "new")
    with pytest.raises(UserError, match="another process is tuning in"):
        claim(tmp_path / "new")
    lock.release()
    claim(tmp_path / "new").release()
