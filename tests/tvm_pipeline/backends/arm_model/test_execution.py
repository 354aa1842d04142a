"""Programs of known counts and known misses, under QEMU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from emulation import BEGIN, END, loop, needs_model, program

from mobilenet_tvm.base.errors import SystemFailure, UserError
from tvm_pipeline.backends.arm_model.core import Core
from tvm_pipeline.backends.arm_model.execution import Execution, execute
from tvm_pipeline.backends.arm_model.instruction import class_of

TIMEOUT = 60.0


def _classes(execution: Execution) -> Counter[str]:
    found: Counter[str] = Counter()
    for word, count in execution.counts.values():
        found[class_of(word)] += count
    return found


@needs_model
def test_counts_are_exact_between_the_hints_and_the_same_each_time(tmp_path: Path, plugin: Path, a72: Core) -> None:
    fmla = ["fmla v0.4s, v1.4s, v2.4s"] * 3
    lines = [*loop(50, fmla), BEGIN, *loop(1000, [*fmla, "str q0, [x10]"], "2"), END, *loop(70, fmla, "3")]
    path = program(tmp_path, ["adrp x10, memory", *lines])
    found = execute([str(path)], a72, plugin, TIMEOUT)
    classes = _classes(found)
    assert (classes["fmla"], classes["vector_store"], classes["branch"]) == (3000, 1000, 1000)
    assert execute([str(path)], a72, plugin, TIMEOUT) == found


@needs_model
def test_a_program_without_hints_counts_whole(tmp_path: Path, plugin: Path, a72: Core) -> None:
    path = program(tmp_path, loop(123, ["fmla v0.4s, v1.4s, v2.4s"]))
    assert _classes(execute([str(path)], a72, plugin, TIMEOUT))["fmla"] == 123


@needs_model
def test_a_longer_run_less_a_shorter_one(tmp_path: Path, plugin: Path, a72: Core) -> None:
    # the number of arguments decides: argc is at the stack pointer
    lines = ["ldr x11, [sp]", "4:", *loop(100, ["fmla v0.4s, v1.4s, v2.4s"]), "subs x11, x11, #1", "b.ne 4b"]
    path = program(tmp_path, lines)
    three, one = (execute([str(path), *["x"] * extra], a72, plugin, TIMEOUT) for extra in (2, 0))
    assert _classes(three - one)["fmla"] == 200


def _walk(kibibytes: int, step: int, name: str) -> list[str]:
    """Reads an area once, a byte every ``step``."""
    count = kibibytes * 1024 // step
    body = ["ldrb w12, [x11]", f"add x11, x11, #{step}"]
    return ["adrp x11, memory", *loop(count, body, name)]


@needs_model
@pytest.mark.parametrize(("kibibytes", "first", "second"), [(16, 0, 0), (256, 4096, 0), (4096, 65536, 65536)])
def test_misses_are_those_of_the_caches_sizes(
    kibibytes: int, first: int, second: int, tmp_path: Path, plugin: Path, a72: Core
) -> None:
    lines = [*_walk(kibibytes, 64, "1"), BEGIN, *_walk(kibibytes, 64, "2"), END]
    found = execute([str(program(tmp_path, lines, kibibytes * 1024))], a72, plugin, TIMEOUT)
    missed = [one.streamed + one.scattered for one in found.missed]
    assert missed == [first, second]
    assert found.missed[0].scattered <= first / 64  # a page has 64 lines, and the prefetcher stops at its end
    assert found.writebacks == 0


@needs_model
def test_a_stride_is_scattered(tmp_path: Path, plugin: Path, a72: Core) -> None:
    lines = [BEGIN, *_walk(1024, 512, "1"), END]
    found = execute([str(program(tmp_path, lines, 1024 * 1024))], a72, plugin, TIMEOUT)
    assert (found.missed[0].streamed, found.missed[0].scattered) == (0, 2048)


@needs_model
def test_stores_are_written_back(tmp_path: Path, plugin: Path, a72: Core) -> None:
    body = ["str q0, [x11], #64"]
    lines = ["adrp x11, memory", BEGIN, *loop(65535, body), END]
    found = execute([str(program(tmp_path, lines, 4096 * 1024))], a72, plugin, TIMEOUT)
    assert [one.stored for one in found.missed] == [65535, 65535]
    assert 65535 - 16384 - 512 <= found.writebacks <= 65535 - 16384 + 512  # what does not stay in 1 MiB


@needs_model
def test_failures_are_told(tmp_path: Path, plugin: Path, a72: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = program(tmp_path, ["mov x0, #0", "ldr x1, [x0]"])
    with pytest.raises(SystemFailure, match="emulated program failed"):
        execute([str(crashing)], a72, plugin, TIMEOUT)
    endless = program(tmp_path, ["1:", "b 1b"])
    with pytest.raises(SystemFailure, match="no answer"):
        execute([str(endless)], a72, plugin, timeout=0.5)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="apt install qemu-user"):
        execute([str(endless)], a72, plugin, TIMEOUT)
