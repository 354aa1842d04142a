"""TVM's runtime for a board: from the cache, from wheels in a folder, and what is said where neither is there."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import SystemFailure
from mobilenet_tvm.base.host_cpu import host_arch
from mobilenet_tvm.base.paths import package_folder
from mobilenet_tvm.native import device_runtime
from mobilenet_tvm.native.device_runtime import runtime_libraries

NAMES = ["libtvm_runtime.so", "libtvm_ffi.so"]
CUDA = "libtvm_runtime_cuda.so"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No network, an empty cache."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("MOBILENET_TVM_CACHE", str(tmp_path / "cache"))
    return tmp_path


def _wheel(folder: Path, distribution: str, libraries: dict[str, bytes]) -> None:
    """The least that pip takes for that version's wheel for aarch64."""
    name, number = distribution.replace("-", "_"), version(distribution)
    files = {
        **libraries,
        f"{name}-{number}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n".encode(),
        f"{name}-{number}.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-manylinux_2_28_aarch64\n",
    }
    record = f"{name}-{number}.dist-info/RECORD"
    lines = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in files.items()
    ]
    with zipfile.ZipFile(folder / f"{name}-{number}-py3-none-manylinux_2_28_aarch64.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr(record, "\n".join([*lines, f"{record},,"]))


def test_this_machine_has_the_installed_ones() -> None:
    assert runtime_libraries(host_arch()) == [
        package_folder("tvm") / "lib" / NAMES[0],
        package_folder("tvm_ffi") / "lib" / NAMES[1],
    ]


def test_a_boards_are_for_it() -> None:
    paths = runtime_libraries("aarch64")
    assert [path.name for path in paths] == NAMES
    for path in paths:
        assert path.read_bytes()[18:20] == b"\xb7\x00", "an ELF file for aarch64"


def test_offline_one_line_says_what_to_do(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = f"pip cannot fetch apache-tvm=={version('apache-tvm')} and apache-tvm-ffi=={version('apache-tvm-ffi')} for"
    with pytest.raises(SystemFailure, match=f"{wanted} manylinux_2_28_aarch64 .*: go online once, or .*PIP_FIND_LINKS"):
        runtime_libraries("aarch64")
    assert device_runtime.main(["aarch64"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.suffix for path in (offline / "cache" / "runtime").iterdir()] == [".lock"]


def test_wheels_in_a_folder_do(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (offline / "wheels").mkdir()
    _wheel(offline / "wheels", "apache-tvm", {f"tvm/lib/{NAMES[0]}": b"runtime"})
    _wheel(offline / "wheels", "apache-tvm-ffi", {f"tvm_ffi/lib/{NAMES[1]}": b"ffi"})
    monkeypatch.setenv("PIP_FIND_LINKS", str(offline / "wheels"))
    paths = runtime_libraries("aarch64")
    assert [path.read_bytes() for path in paths] == [b"runtime", b"ffi"]
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert runtime_libraries("aarch64") == paths, "from the cache now"
    paths[0].unlink()
    with pytest.raises(SystemFailure, match="is missing: mobilenet-tvm cache clear"):
        runtime_libraries("aarch64")


def test_a_gpus_runtime_comes_along_where_it_is_asked_for(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = runtime_libraries(host_arch(), cuda=True)
    assert [path.name for path in here] == [*NAMES, CUDA]
    assert all(path.is_file() for path in here)
    (offline / "wheels").mkdir()
    _wheel(offline / "wheels", "apache-tvm", {f"tvm/lib/{NAMES[0]}": b"runtime", f"tvm/lib/{CUDA}": b"cuda"})
    _wheel(offline / "wheels", "apache-tvm-ffi", {f"tvm_ffi/lib/{NAMES[1]}": b"ffi"})
    monkeypatch.setenv("PIP_FIND_LINKS", str(offline / "wheels"))
    plain = runtime_libraries("aarch64")
    paths = runtime_libraries("aarch64", cuda=True)
    assert [path.read_bytes() for path in paths] == [b"runtime", b"ffi", b"cuda"]
    assert paths[0].parent != plain[0].parent
