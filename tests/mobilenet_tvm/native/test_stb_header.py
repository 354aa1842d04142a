from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from mobilenet_tvm.base.paths import CACHE_VARIABLE
from mobilenet_tvm.native import stb_header

OURS = b"/* a header */"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def no_system_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stb_header, "_SYSTEM", [])


def test_the_system_has_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stb_image.h").write_bytes(OURS)
    monkeypatch.setattr(stb_header, "_SYSTEM", [tmp_path])
    assert stb_header.stb_folder() is None


@pytest.mark.usefixtures("no_system_header")
def test_without_a_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", ""), ("PIP_CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(name, value)
    assert stb_header.stb_folder() is None
    assert not cache.exists()


@pytest.mark.usefixtures("no_system_header")
def test_fetched_once_and_only_with_the_pinned_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = tmp_path / "stb.cmake"
    pinned.write_text(f"set(stb_sha256 {hashlib.sha256(OURS).hexdigest()})\n")
    monkeypatch.setattr(stb_header, "_CMAKE", pinned)

    def pip(command: list[str], **_: object) -> None:
        import io
        import tarfile

        folder = Path(command[command.index("--dest") + 1])
        with tarfile.open(folder / "libstb-0.8.0.tar.gz", "w:gz") as tar:
            member = tarfile.TarInfo("libstb-0.8.0/src/stb_image.h")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))

    monkeypatch.setattr(subprocess, "run", pip)
    content = OURS + b"tampered with"
    assert stb_header.stb_folder() is None
    content = OURS
    folder = stb_header.stb_folder()
    assert folder is not None and (folder / "stb_image.h").read_bytes() == OURS
    content = b"gone"
    assert stb_header.stb_folder() == folder
