"""What an exported file says of itself."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx_network import Network

from mobilenet_tvm.base.answers import NOTES_KEY, FileNotes
from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.model.onnx_notes import read_notes


def _file(tmp_path: Path, text: str | None) -> Path:
    network = Network()
    model = network.output(network.node("Relu", network.input([1, 3, 4, 4]))).model()
    if text is not None:
        model.metadata_props.add(key=NOTES_KEY, value=text)
    onnx.save(model, tmp_path / "network.onnx")
    return tmp_path / "network.onnx"


def test_notes(tmp_path: Path) -> None:
    assert read_notes(_file(tmp_path, '{"classes": ["cat", "dog"]}')) == FileNotes(classes=("cat", "dog"))
    assert read_notes(_file(tmp_path, None)) == FileNotes()


@pytest.mark.parametrize("text", ["no JSON", '{"classes": 3}', "[]"])
def test_notes_that_nobody_wrote(text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not as export writes it"):
        read_notes(_file(tmp_path, text))
