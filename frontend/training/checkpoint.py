"""The checkpoint that ``train`` writes: a state dict, and what else ``compile`` has to know of the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import torch

from mobilenet_tvm.base.answers import NOTES_KEY, FileNotes
from mobilenet_tvm.base.errors import UserError

_SAFETENSORS = ".safetensors"


class CheckpointNotes(FileNotes):
    """What lies beside the weights.

    :ivar model: the network's name in the zoo.
    """

    model: str


def write_checkpoint(path: Path, state: Mapping[str, torch.Tensor], notes: CheckpointNotes, suffix: str) -> None:
    """Write a file of safetensors where ``suffix`` says so, else one of PyTorch's."""
    text = json.dumps(notes.to_json())
    if suffix == _SAFETENSORS:
        from safetensors.torch import save_file

        save_file(dict(state), path, {NOTES_KEY: text})
    else:
        torch.save({"state_dict": dict(state), NOTES_KEY: text}, path)


def read_notes(path: Path) -> CheckpointNotes | None:
    """The notes in a checkpoint; None where it has none, or is no checkpoint.

    :raises UserError: they are not as ``train`` writes them.
    """
    text = _notes_in(path)
    if text is None:
        return None
    try:
        return CheckpointNotes.from_json(json.loads(str(text)))
    except (ValueError, msgspec.ValidationError) as error:
        raise UserError(f"{path}: its notes {NOTES_KEY!r} are not as train writes them: {error}") from error


def _notes_in(path: Path) -> object:
    try:
        if path.suffix == _SAFETENSORS:
            from safetensors import safe_open

            with safe_open(path, "pt") as content:
                return (content.metadata() or {}).get(NOTES_KEY)
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # whoever reads the weights says what is wrong
        return None
    return values.get(NOTES_KEY) if isinstance(values, Mapping) else None
