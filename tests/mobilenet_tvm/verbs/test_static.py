"""compile --static: one program with network, runtime and runner in it, run as it is and through the verbs."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from filelock import FileLock

from mobilenet_tvm.package.reference import read_first
from mobilenet_tvm.places.qemu import SYSROOT_VARIABLE, qemu
from mobilenet_tvm.schemas import load_schema
from mobilenet_tvm.verbs.compile import compile

PT_INTERP = 3


def _compiled_once(shared_folder: Path, tiny_onnx: Path, target: str) -> Path:
    program = shared_folder / f"tiny-static-{target}"
    with FileLock(shared_folder / f"tiny-static-{target}.lock"):
        if not program.exists():
            compile(str(tiny_onnx), target, program, static=True, on_event=lambda event: None)
    return program


@pytest.fixture
def program(shared_folder: Path, tiny_onnx: Path, tmp_path: Path) -> Path:
    """The tiny network as one program for AVX2, a copy for each test."""
    return Path(shutil.copy(_compiled_once(shared_folder, tiny_onnx, "x86-64-v3"), tmp_path / "net"))


@pytest.fixture
def board_program(shared_folder: Path, tiny_onnx: Path, tmp_path: Path) -> Path:
    """The same for a Raspberry Pi 4."""
    return Path(shutil.copy(_compiled_once(shared_folder, tiny_onnx, "rpi4"), tmp_path / "net"))


@pytest.fixture
def tensor(tiny_package: Path, tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", read_first(tiny_package / "reference.npz")[0][0])
    return tmp_path / "x.npy"


def _start(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program in an environment that holds nothing."""
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=120)
    assert done.returncode == code, done
    return done


def _refused(*words: object) -> str:
    done = _start(*words, code=2)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1), done
    return done.stderr


def _interpreters(program: Path) -> int:
    """How many dynamic linkers an ELF file for 64 bits asks for."""
    content = program.read_bytes()
    (begin,), (size, count) = struct.unpack_from("<Q", content, 32), struct.unpack_from("<HH", content, 54)
    return sum(struct.unpack_from("<I", content, begin + i * size) == (PT_INTERP,) for i in range(count))


def test_it_needs_nothing_and_does_what_a_package_does(program: Path, tiny_package: Path, tensor: Path) -> None:
    assert _interpreters(program) == 0
    assert _interpreters(tiny_package / "bin" / "mobilenet-run") == 1
    answer = json.loads(_start(program, tensor, "--json").stdout)
    expected = json.loads(_start(tiny_package / "run.sh", tensor, "--json").stdout)
    assert [one["class_id"] for one in answer["results"][0]["top"]] == [
        one["class_id"] for one in expected["results"][0]["top"]
    ]
    assert "passed" in _start(program, "--self-test").stdout
    assert json.loads(_start(program, "--repeat", 3, "--threads", 2, "--json").stdout)["bench"]["runs"] == 3
    assert json.loads(_start(program, "--repeat", 3, "--profile", "--json").stdout)["profile"]["calls"]
    assert _start(program, "--help").stdout.startswith("PROGRAM IMAGE... [options]")
    assert "codecs: " in _start(program, "--version").stdout
    assert "no image given: IMAGE..." in _refused(program)
    assert "there is no such file" in _refused(program, "gone.png")


def test_the_verbs_take_it(command: Callable[..., Any], program: Path, tiny_onnx: Path, tensor: Path) -> None:
    for verb, *arguments in (
        ["verify"],
        ["verify", "--onnx", tiny_onnx],
        ["inspect"],
        ["run", tensor],
        ["bench", "--repeat", "3"],
        ["profile", "--repeat", "3"],
    ):
        answer = command(verb, program, *arguments, "--json")
        assert answer.code == 0, answer
        jsonschema.validate(json.loads(answer.out), load_schema(str(verb)))
    manifest = json.loads(command("inspect", program, "--json").out)
    assert set(manifest["files"]) == {"mobilenet-run", "module.bin", "reference.npz", "LICENSE", "NOTICE"}
    assert manifest["versions"]["linker"].startswith("ziglang ")


def test_on_an_emulated_board_without_its_libraries(
    command: Callable[..., Any], board_program: Path, tensor: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if qemu("aarch64") is None:
        pytest.skip("qemu-aarch64 is not installed (Debian: apt install qemu-user)")
    monkeypatch.setenv(SYSROOT_VARIABLE, str(tmp_path / "none"))
    result = json.loads(command("verify", board_program, "--emulate", "--json").out)
    assert (result["where"], result["target"], result["passed"]) == ("emulated", "rpi4", True)
    assert command("run", board_program, tensor, "--emulate").code == 0
    demanding = _with_feature(board_program, "asimddp")
    assert "this CPU lacks asimddp" in _refused(qemu("aarch64"), "-cpu", "cortex-a72", demanding, "--self-test")


def _with_feature(program: Path, feature: str) -> Path:
    """The same program with a manifest that asks for more of the CPU."""
    from mobilenet_tvm.package import static_program

    folder = program.with_name("unpacked")
    folder.mkdir()
    static_program.unpack(program, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["target"]["cpu_features"].append(feature)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    static_program.pack(folder, program.with_name("changed"))
    return program.with_name("changed")


def test_another_architecture(command: Callable[..., Any], board_program: Path) -> None:
    message = command("verify", board_program).error()
    assert "is for rpi4 (aarch64) and this machine is x86_64" in message


def test_an_older_cpu(program: Path) -> None:
    """Nothing of the network runs before the CPU was asked: an instruction that it lacks would end the program."""
    emulator = qemu("x86_64")
    if emulator is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: apt install qemu-user)")
    assert "this CPU lacks " in _refused(emulator, "-cpu", "core2duo", program, "--self-test")
    _start(emulator, "-cpu", "Haswell", program, "--self-test")


def test_a_cut_copy(command: Callable[..., Any], program: Path) -> None:
    whole = program.read_bytes()
    with zipfile.ZipFile(program) as archive:
        begin = min(member.header_offset for member in archive.infolist())
    for keep in (begin, begin + 100, (begin + len(whole)) // 2, len(whole) - 1):
        program.write_bytes(whole[:keep])
        assert "net: is cut or damaged: copy it again" in _refused(program, "--self-test")
        assert "copy it again" in command("verify", program).error()
    program.write_bytes(whole[:1000])  # such a one cannot say it itself
    assert "copy it again" in command("verify", program).error()


@pytest.mark.parametrize("name", ["mobilenet-run", "module.bin", "reference.npz"])
def test_a_damaged_copy(command: Callable[..., Any], program: Path, name: str) -> None:
    content = bytearray(program.read_bytes())
    with zipfile.ZipFile(program) as archive:
        members = {member.filename: member.header_offset + 30 + len(name) for member in archive.infolist()}
    content[members.get(name, content.index(b"Exit codes: 0, 2")) + 40] ^= 1
    program.write_bytes(content)
    assert f"{name}: its checksum is not the one in manifest.json" in _refused(program, "--self-test")
    assert command("verify", program).code == 2


def test_a_manifest_from_the_future(program: Path) -> None:
    content = program.read_bytes()
    program.write_bytes(content.replace(b'"schema_version": 1,', b'"schema_version": 7,'))
    assert "has schema 7" in _refused(program, "--self-test")


def test_where_it_may_be_written(command: Callable[..., Any], tiny_onnx: Path, program: Path, tmp_path: Path) -> None:
    arguments = ["compile", tiny_onnx, "--target", "x86-64-v3", "-o"]
    assert "not an archive: name it net" in command(*arguments, "net.tar.gz", "--static").error()
    (tmp_path / "mine").write_text("mine")
    assert "exists and is not a package" in command(*arguments, tmp_path / "mine", "--static").error()
    assert "a package of another form" in command(*arguments, program).error()
    assert "by ziglang's clang alone" in command(*arguments, "net", "--static", "--compiler", "g++").error()
    before = program.read_bytes()
    program.chmod(0o644)
    assert "may not be run: chmod +x" in command("verify", program).error()
    assert command(*arguments, program, "--static").code == 0
    assert program.read_bytes() == before, "the same network makes the same program"
    assert os.access(program, os.X_OK)
