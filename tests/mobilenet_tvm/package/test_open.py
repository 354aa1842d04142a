from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from smallest_package import fill

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.store import new_package


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package"
    with new_package(path) as folder:
        fill(folder)
    return path


def _edit(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((package / "manifest.json").read_text())
    change(manifest)
    (package / "manifest.json").write_text(json.dumps(manifest))


def _refused(path: Path, match: str) -> None:
    with pytest.raises(UserError, match=match), open_package(path):
        pass


def test_a_folder_opens(package: Path) -> None:
    with open_package(package) as opened:
        assert opened.manifest.model["name"] == "m"


def test_an_archive_opens_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "package.tar.gz"
    with new_package(path) as folder:
        fill(folder)
    with open_package(path) as opened:
        assert (opened.folder / "module.so").is_file()
    assert not opened.folder.exists()
    assert os.listdir(tmp_path) == ["package.tar.gz"]


def test_a_wrong_sum(package: Path) -> None:
    (package / "module.so").write_text("y")
    with open_package(package) as opened, pytest.raises(UserError, match=r"module\.so is not what was packed"):
        opened.check_sums()


def test_a_missing_file(package: Path) -> None:
    (package / "reference.npz").unlink()
    _refused(package, r"reference\.npz is missing")


def test_a_file_that_the_manifest_does_not_list(package: Path) -> None:
    _edit(package, lambda manifest: manifest["files"].pop("module.so"))
    _refused(package, r"does not list module\.so")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "bin/../../outside"])
def test_a_path_that_leaves_the_folder(package: Path, name: str) -> None:
    _edit(package, lambda manifest: manifest["files"].update({name: "0" * 64}))
    _refused(package, "leaves the package")


def test_a_link_that_leaves_the_folder(package: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    (package / "module.so").unlink()
    (package / "module.so").symlink_to(tmp_path / "outside")
    _refused(package, "leaves the package")


def test_an_unknown_schema(package: Path) -> None:
    _edit(package, lambda manifest: manifest.update(schema_version=2))
    _refused(package, "has manifest schema 2; this version reads 1")


@pytest.mark.parametrize("text", ["", "[]", "{}", "\xff"])
def test_a_broken_manifest(package: Path, text: str) -> None:
    (package / "manifest.json").write_text(text, encoding="latin-1")
    _refused(package, r"manifest\.json cannot be read|manifest schema None")


def test_a_manifest_that_lacks_a_key(package: Path) -> None:
    _edit(package, lambda manifest: manifest.pop("target"))
    _refused(package, "is damaged: .* missing required field `target`")


def test_what_is_no_package(tmp_path: Path) -> None:
    _refused(tmp_path, r"it holds no manifest\.json")
    _refused(tmp_path / "gone", "no package .*gone")
    (tmp_path / "file").write_text("not an archive")
    _refused(tmp_path / "file", r"it is no whole \.tar\.gz archive")


def test_a_truncated_archive(tmp_path: Path) -> None:
    path = tmp_path / "package.tar.gz"
    with new_package(path) as folder:
        fill(folder)
    data = path.read_bytes()
    for length in (*range(10, len(data), 20), len(data) - 1):
        path.write_bytes(data[:length])
        _refused(path, "is not a package")


def test_an_archive_with_a_path_that_leaves(tmp_path: Path) -> None:
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../escaped"), io.BytesIO())
    _refused(path, "is no package of ours: .*escaped")
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path.parent / "escaped").exists()
