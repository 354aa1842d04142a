"""What an ONNX file that ``export`` wrote says of itself: how images become its input, and its classes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from mobilenet_tvm.base.answers import NOTES_KEY, FileNotes
from mobilenet_tvm.base.errors import UserError


def read_notes(path: Path) -> FileNotes:
    """The notes in a file's metadata; empty ones where it has none.

    :raises UserError: they are not as ``export`` writes them.
    """
    import onnx

    model = onnx.load(path, load_external_data=False)
    text = next((entry.value for entry in model.metadata_props if entry.key == NOTES_KEY), None)
    if text is None:
        return FileNotes()
    try:
        return FileNotes.from_json(json.loads(text))
    except (ValueError, msgspec.ValidationError) as error:
        raise UserError(f"{path}: its metadata {NOTES_KEY!r} is not as export writes it: {error}") from error
