from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilenet_tvm.cli.main import VERBS

PROGRAM = [str(Path(sys.executable).with_name("mobilenet-tvm"))]


def test_help_lists_every_verb_in_order(command: Callable[..., object]) -> None:
    done = subprocess.run([*PROGRAM, "--help"], capture_output=True, text=True, check=True)
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ") and line[4] != " "]
    assert [verb for verb in listed if verb in VERBS] == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    done = subprocess.run([*PROGRAM, verb, "--help"], capture_output=True, text=True, check=True)
    assert "--json" in done.stdout


@pytest.mark.timing
def test_help_answers_in_under_300_ms() -> None:
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([*PROGRAM, "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.3, times


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from mobilenet_tvm.cli.main import build_parser; build_parser().format_help();"
        "print([name for name in ('torch', 'tvm', 'tvm_ffi', 'numpy', 'onnx', 'onnxruntime', 'rich', 'PIL')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version_names_tvm_llvm_and_the_schemas() -> None:
    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    versions = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert versions["TVM"] == "0.27.0.post1"
    assert versions["tvm_ffi"] == "0.1.14.post1"
    assert int(versions["LLVM"].split(".")[0]) >= 18
    assert versions["manifest schema"] == versions["tuning log schema"] == "1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verfiy"], "unknown verb 'verfiy': did you mean 'verify'?"),
        (["--json", "qqq"], "unknown verb 'qqq': it is one of models, targets, export"),
        (["compile", "m.onnx"], "the following arguments are required: -o/--output; see mobilenet-tvm compile --help"),
        (["bench", "p", "--thread", "x"], "'x' is no list of positive numbers, such as 1,2"),
        (["run", "p", "a.png", "--top", "few"], "argument --top: invalid int value: 'few'"),
        (["targets", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["logs", "burn"], "argument show|check|export: invalid choice: 'burn'"),
    ],
)
def test_a_wrong_command_line(command: Callable[..., object], arguments: list[str], message: str) -> None:
    assert message in command(*arguments).error()  # type: ignore[attr-defined]


def test_a_mistake_through_the_real_program() -> None:
    done = subprocess.run([*PROGRAM, "targets", "x86-v3"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mobilenet-tvm: unknown target 'x86-v3': did you mean 'x86-64-v3'?\n"


def test_debug_shows_the_traceback() -> None:
    done = subprocess.run([*PROGRAM, "targets", "x86-v3", "--debug"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("mobilenet-tvm: unknown target")


def test_json_stands_before_the_verb_or_after_it() -> None:
    outputs = [
        subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=True).stdout
        for arguments in (["--json", "cache", "show"], ["cache", "--json", "show"], ["cache", "show", "--json"])
    ]
    assert len({json.loads(output)["folder"] for output in outputs}) == 1


def test_no_verb_prints_the_help() -> None:
    done = subprocess.run(PROGRAM, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: mobilenet-tvm")


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {PROGRAM[0]} inspect --help | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
