"""Packages for boards, run under QEMU as the board's CPU: the numbers, and what is said of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from emulated_places import silent, under_qemu

from mobilenet_tvm.base.requests import CompileOptions
from mobilenet_tvm.model.source import find_model
from mobilenet_tvm.package.manifest import TOLERANCE
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.reference import Pair, read_first, read_reference, with_reference
from mobilenet_tvm.places.qemu import qemu, sysroot
from mobilenet_tvm.places.runner import self_test
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.compile import build_package
from mobilenet_tvm.verbs.run import run
from mobilenet_tvm.verbs.verify import verify
from targets import load

pytestmark = pytest.mark.usefixtures("needs_board_emulator")
FUTURE = 7
AARCH64 = b"\xb7\x00"  # e_machine of an ELF file


@pytest.mark.parametrize(
    ("board", "model"),
    [
        ("rpi3", "mobilenet_v1_0.25_128"),
        ("rpi4", "mobilenet_v3_small_1.0_224"),
        ("rpi5", "mobilenet_v1_0.25_128"),
    ],
)
def test_a_live_network_on_every_board(board: str, model: str, tmp_path: Path) -> None:
    source = find_model(model, "random", None, silent)
    build_package(source, load(board), 2, [], tmp_path / "package", CompileOptions(), check=False, on_event=silent)
    result = verify(tmp_path / "package", emulate=True)
    assert (result["where"], result["target"], result["passed"]) == ("emulated", board, True)
    assert result["relative_err"] <= TOLERANCE


def test_a_whole_mobilenet_fits_and_needs_only_old_libraries(tmp_path: Path) -> None:
    source = find_model("mobilenet_v1_1.0_224", "random", None, silent)
    build_package(source, load("rpi4"), 4, [], tmp_path / "package", CompileOptions(), check=False, on_event=silent)
    files = [path for path in (tmp_path / "package").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 35e6
    programs = [path for path in files if path.read_bytes()[:4] == b"\x7fELF"]
    assert len(programs) == 4
    for path in programs:
        content = path.read_bytes()
        assert content[18:20] == AARCH64, path
        versions = [tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_([0-9.]+)\0", content)]
        assert max(versions, default=(2, 0)) <= (2, 28), path


def test_wrong_numbers_fail(board_package: Path) -> None:
    first, *others = read_reference(board_package / "reference.npz")
    (y,) = first.outputs
    first = Pair(first.inputs, (y + np.float32(2 * TOLERANCE) * np.ptp(y),))
    with open_package(board_package) as opened, with_reference(opened, [first, *others]) as changed:
        assert not self_test(under_qemu(changed))["passed"]


def test_avx2_on_an_emulated_haswell(tiny_package: Path, tiny_onnx: Path) -> None:
    if qemu("x86_64") is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: apt install qemu-user)")
    result = verify(tiny_package, onnx=tiny_onnx, emulate=True)
    assert (result["where"], result["passed"]) == ("emulated", True)


def test_the_classes_and_no_time(board_package: Path, tiny_package: Path, tmp_path: Path) -> None:
    inputs, _ = read_first(board_package / "reference.npz")
    np.save(tmp_path / "x.npy", inputs[0])
    there, here = run(board_package, [tmp_path / "x.npy"], emulate=True), run(tiny_package, [tmp_path / "x.npy"])
    assert (there["where"], here["where"]) == ("emulated", "host")
    assert "latency_ms" not in there["results"][0]
    (of_board,), (of_pc,) = there["results"], here["results"]
    assert [one["class_id"] for one in of_board["top"]] == [one["class_id"] for one in of_pc["top"]]


def test_output_says_emulated(command: Callable[..., Any], board_package: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 3, 16, 16), np.float32))
    for verb, *images in (["verify"], ["profile"], ["run", tmp_path / "x.npy"]):
        answer = command(verb, board_package, *images, "--emulate")
        assert answer.code == 0, answer
        assert answer.out.startswith("emulated: QEMU ran it as rpi4's CPU")
        assert "GMAC/s" not in answer.out
        payload = json.loads(command(verb, board_package, *images, "--emulate", "--json").out)
        assert payload["where"] == "emulated"
        jsonschema.validate(payload, load_schema(str(verb)))


def test_bench_does_not_emulate(command: Callable[..., Any], board_package: Path) -> None:
    assert "time says nothing about a board" in command("bench", board_package, "--emulate").error()


@pytest.mark.parametrize("verb", ["verify", "bench", "profile"])
def test_a_package_for_another_architecture(command: Callable[..., Any], board_package: Path, verb: str) -> None:
    message = command(verb, board_package).error()
    assert "is for rpi4 (aarch64) and this machine is x86_64: copy it there, name a board" in message


def test_run_script_of_a_board_here(board_package: Path) -> None:
    done = subprocess.run([board_package / "run.sh", "--self-test"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "run.sh: this package is for aarch64, this machine is x86_64\n"


def test_run_script_on_a_32_bit_system_with_a_64_bit_kernel(board_package: Path, tmp_path: Path) -> None:
    if Path("/lib/ld-linux-aarch64.so.1").exists():
        pytest.skip("this machine runs programs for aarch64")
    (tmp_path / "uname").write_text("#!/bin/sh\necho aarch64\n")
    (tmp_path / "uname").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [board_package / "run.sh", "--self-test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "this system lacks /lib/ld-linux-aarch64.so.1: a 64-bit system is needed" in done.stderr


def test_a_missing_library(command: Callable[..., Any], board_package: Path) -> None:
    (board_package / "lib" / "libtvm_ffi.so").unlink()
    assert "lib/libtvm_ffi.so is missing" in command("verify", board_package, "--emulate").error()


def test_a_library_of_another_architecture(
    command: Callable[..., Any], board_package: Path, tiny_package: Path
) -> None:
    shutil.copy(tiny_package / "lib" / "libtvm_ffi.so", board_package / "lib")
    assert "lib/libtvm_ffi.so is not what was packed" in command("verify", board_package, "--emulate").error()


def test_a_manifest_from_the_future(command: Callable[..., Any], board_package: Path) -> None:
    manifest = json.loads((board_package / "manifest.json").read_text())
    (board_package / "manifest.json").write_text(json.dumps({**manifest, "schema_version": FUTURE}))
    assert f"manifest schema {FUTURE}" in command("verify", board_package, "--emulate").error()
    emulator = [qemu("aarch64"), "-cpu", "cortex-a72", "-L", sysroot("aarch64")]
    words = [str(word) for word in [*emulator, board_package / "bin/mobilenet-run", board_package, "--self-test"]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert f"has schema {FUTURE}" in done.stderr


def test_a_cut_archive(command: Callable[..., Any], board_package: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as tar:
        tar.add(board_package, "package")
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-1000])
    assert "is no whole .tar.gz archive" in command("verify", tmp_path / "cut.tar.gz", "--emulate").error()
    assert command("verify", whole, "--emulate").code == 0
