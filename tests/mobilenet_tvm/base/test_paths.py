"""Files and folders that appear whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mobilenet_tvm.base import paths
from mobilenet_tvm.base.paths import install_folder, make_once, replacing


def _filled(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "file").write_text(text)
    return folder


def test_a_file_is_replaced_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    with pytest.raises(ValueError), replacing(path) as temporary:
        temporary.write_text("ha")
        raise ValueError
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_takes_anothers_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool) -> None:
    if not can_exchange:
        monkeypatch.setattr(paths, "_exchange", lambda *_: False)
    for text in ("first", "second"):
        install_folder(_filled(tmp_path / f"built-{text}", text), tmp_path / "folder")
        assert (tmp_path / "folder" / "file").read_text() == text


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder.parent / "scratch").write_text("beside it")
        (folder / "file").write_text("whole")

    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: make_once(tmp_path / "new" / "folder", make), range(4)))
    assert set(folders) == {tmp_path / "new" / "folder"}
    assert len(made) == 1
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [".folder.lock", "folder"]
    assert (folders[0] / "file").read_text() == "whole"


def test_what_is_not_right_is_made_again(tmp_path: Path) -> None:
    folder = _filled(tmp_path / "folder", "old")
    made = make_once(folder, lambda new: (new / "file").write_text("new"), lambda f: (f / "file").read_text() == "new")
    assert (made / "file").read_text() == "new"


def test_nothing_stays_of_what_fails(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ValueError

    with pytest.raises(ValueError):
        make_once(tmp_path / "folder", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".folder.lock"]
