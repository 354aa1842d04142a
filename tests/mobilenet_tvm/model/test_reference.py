"""What kind of thing MODEL is."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model import reference


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text("import sys\nsys.exit('never run')\ndef make(): ...\nclass Net: ...\ndef _part(): ...\n")
    return path


def test_a_path_is_as_good_as_its_name(own: Path) -> None:
    assert reference.spelled(Path("net.onnx")) == "net.onnx"
    assert reference.is_file(reference.spelled(own.parent / "net.onnx"))
    assert reference.absolute(f"{own}:make") == f"{own}:make"
    assert not reference.is_file(f"{own}:make")
    assert not reference.is_file("mobilenet_v1_1.0_224")


@pytest.mark.parametrize("rest", ["", ":", ":make()", ":Net.make", ":3"])
def test_a_forgotten_factory_is_offered_the_files_own(own: Path, rest: str) -> None:
    with pytest.raises(UserError, match=r"names no function: write .*own\.py:FUNCTION, .*; it has make, Net$"):
        reference.spelled(f"{own}{rest}")


def test_a_python_file_that_is_not_there_or_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def make(:\n")
    with pytest.raises(UserError, match=r"a function that returns an nn\.Module$"):
        reference.spelled(str(tmp_path / "bad.py"))
    with pytest.raises(UserError, match=r"^no file none\.py$"):
        reference.spelled("none.py")
    with pytest.raises(UserError, match=r"^no file none\.py$"):
        reference.absolute("none.py:make")


@pytest.mark.parametrize("model", [7, None, ["a"], b"net.onnx"])
def test_what_is_no_model(model: object) -> None:
    with pytest.raises(UserError, match=r"or an nn\.Module, not"):
        reference.spelled(model)
