from __future__ import annotations

import os
from pathlib import Path

import pytest
from smallest_package import fill

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.package.open import open_package
from mobilenet_tvm.package.store import check_output, new_package


def test_the_same_package_makes_the_same_archive(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with new_package(tmp_path / name / "p.tar.gz") as folder:
            fill(folder)
    assert (tmp_path / "a/p.tar.gz").read_bytes() == (tmp_path / "b/p.tar.gz").read_bytes()


@pytest.mark.parametrize("name", ["package", "package.tar.gz"])
def test_an_older_package_is_replaced(tmp_path: Path, name: str) -> None:
    for text in ("old", "new"):
        with new_package(tmp_path / name) as folder:
            fill(folder, text=text)
    with open_package(tmp_path / name) as opened:
        assert (opened.folder / "module.so").read_text() == "new"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["package", "package.tar.gz"])
def test_a_failure_leaves_the_older_package_and_nothing_else(tmp_path: Path, name: str) -> None:
    with new_package(tmp_path / name) as folder:
        fill(folder, text="old")
    with pytest.raises(UserError, match="no"), new_package(tmp_path / name) as folder:
        fill(folder, text="new")
        raise UserError("no")
    with open_package(tmp_path / name) as opened:
        assert (opened.folder / "module.so").read_text() == "old"
    assert os.listdir(tmp_path) == [name]


def test_nothing_but_a_package_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "notes.tar.gz").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("photos", "notes.tar.gz", "file", "link"):
        with pytest.raises(UserError, match="exists and is not a package"):
            check_output(tmp_path / name)
    with pytest.raises(UserError, match="cannot write"):
        check_output(tmp_path / "file" / "package")
