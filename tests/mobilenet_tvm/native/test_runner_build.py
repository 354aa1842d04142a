from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import SystemFailure, UserError
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.native import runner_build


@pytest.fixture(scope="module")
def built() -> Path:
    return runner_build.runner_binary()


def test_found_again_and_at_once(built: Path) -> None:
    assert runner_build.runner_binary() == built
    assert os.access(built, os.X_OK)
    command = [sys.executable, "-m", "mobilenet_tvm.native.runner_build"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{built}\n"


def test_runs_on_any_glibc_from_2_28_and_finds_its_libraries_beside_it(built: Path) -> None:
    content = built.read_bytes()
    assert b"$ORIGIN/../lib\0" in content
    versions = {tuple(map(int, v.split(b"."))) for v in _glibc_versions(content)}
    assert versions and max(versions) <= (2, 28)


def _glibc_versions(content: bytes) -> list[bytes]:
    import re

    return re.findall(rb"GLIBC_([0-9.]+)\0", content)


def test_codecs_are_what_the_program_says(built: Path) -> None:
    codecs = runner_build.runner_codecs()
    assert {"ppm", "npy"} <= set(codecs)
    libraries = [package_folder(name) / "lib" for name in ("tvm", "tvm_ffi")]
    environment = {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}
    said = subprocess.run([built, "--version"], capture_output=True, text=True, check=True, env=environment).stdout
    assert f"codecs: {','.join(codecs)}\n" in said


def test_the_key_depends_on_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    key = runner_build.source_key("x86_64")
    assert runner_build.source_key("x86_64") == key
    monkeypatch.setattr(runner_build, "version", lambda name: "0.0")
    assert runner_build.source_key("x86_64") != key


def test_stale_or_broken_programs_are_not_taken(tmp_path: Path, built: Path) -> None:
    key = runner_build.source_key("x86_64")
    assert not runner_build._is_current(tmp_path / "none", key)
    program = tmp_path / "mobilenet-run"
    program.write_bytes(built.read_bytes())
    for stamp in ("", "[]", json.dumps({"key": "other"})):
        (tmp_path / "stamp.json").write_text(stamp)
        assert not runner_build._is_current(tmp_path, key)
    (tmp_path / "stamp.json").write_text(json.dumps({"key": key}))
    assert runner_build._is_current(tmp_path, key)
    program.unlink()
    assert not runner_build._is_current(tmp_path, key)


def test_unknown_architecture() -> None:
    with pytest.raises(UserError, match=r"'sparc': there are toolchains for .*x86_64"):
        runner_build.runner_binary("sparc")


def test_without_cmake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILENET_TVM_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(runner_build, "_shipped", lambda arch: tmp_path / "none")
    monkeypatch.setattr(runner_build, "cmake_program", lambda: None)
    with pytest.raises(SystemFailure, match="there is no cmake"):
        runner_build.runner_binary()
    # Nothing half-made stays behind, only the lock.
    assert [p.suffix for p in (tmp_path / "runner").iterdir()] == [".lock"]


def test_run_script() -> None:
    script = runner_build.run_script("x86_64")
    assert "built_for=x86_64\n" in script
    assert "@" not in script.replace('"$@"', "")
