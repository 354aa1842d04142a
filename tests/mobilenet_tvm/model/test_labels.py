from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.labels import known_labels, read_labels


def test_imagenet() -> None:
    names = known_labels("imagenet-1k")
    assert names is not None
    assert (len(names), names[0], names[285], names[967]) == (1000, "tench", "Egyptian cat", "espresso")


def test_a_list_that_is_not_known() -> None:
    assert known_labels(None) is None


def test_a_file_of_names(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("cat\n\n dog \n\n\n", encoding="utf-8")
    assert read_labels(path) == ["cat", "", "dog"], "an empty line is a class without a name, at the end it is nothing"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe"])
def test_no_names(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(UserError, match=r"names\.txt"):
        read_labels(tmp_path / "names.txt")
