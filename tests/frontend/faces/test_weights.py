"""TensorFlow.js's weights, and the network that they are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from frontend import zoo
from frontend.checkpoints import load
from frontend.faces.package import MANIFEST, WEIGHTS
from frontend.faces.weights import read_weights
from frontend.networks.ssd_face import _renamed, read_state
from mobilenet_tvm.base.errors import UserError

ENTRIES: list[dict[str, Any]] = [
    {"name": "a", "shape": [2, 2], "dtype": "float32"},
    {"name": "b", "shape": [3], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
    {"name": "c", "shape": [], "dtype": "int32", "quantization": {"dtype": "uint16", "scale": 1, "min": 7}},
]
BYTES = np.arange(4, dtype=np.float32).tobytes() + bytes([0, 2, 255]) + np.uint16(300).tobytes()


def write(folder: Path, entries: list[dict[str, Any]], data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps([{"weights": entries, "paths": [WEIGHTS]}]))
    (folder / WEIGHTS).write_bytes(data)
    return folder


def test_stored_values_are_scaled_and_found_where_npm_unpacks_them(tmp_path: Path) -> None:
    write(tmp_path / "package" / "model", ENTRIES, BYTES)
    arrays = read_weights(tmp_path)
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "a": [[0, 1], [2, 3]], "b": [-1, 0, 126.5], "c": 307,
    }  # fmt: skip
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("entries", "data", "message"),
    [
        (ENTRIES, BYTES[:-1], "do not fit their manifest"),
        (ENTRIES, BYTES + b"x", "holds 22 bytes, and its manifest speaks of 21"),
        ([{"name": "a"}], BYTES, "do not fit their manifest"),
        (ENTRIES, BYTES, "holds weights of another network: there is no MobilenetV1/Conv2d_0_pointwise/weights"),
    ],
)
def test_a_folder_of_something_else(entries: list[dict[str, Any]], data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        read_state(write(tmp_path, entries, data))


def test_a_folder_without_weights_is_told_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no ssd_mobilenetv1_model\.bin .*python -m frontend\.faces FOLDER"):
        read_state(tmp_path)


def test_every_tensor_of_the_network_comes_out_of_the_folder_and_lands_where_it_belongs(tmp_path: Path) -> None:
    """Live random weights in TensorFlow's names and layouts, through the file, against the same ones in PyTorch's."""
    module = zoo.find("mobilenet_v1_ssd_face").module()
    state = {name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    theirs = _in_tensorflows_layout(state)
    entries = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in theirs.items()]
    write(tmp_path, entries, b"".join(array.tobytes() for array in theirs.values()))
    read = read_state(tmp_path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], value) for name, value in state.items())
    load(module, read, "the folder")


def _in_tensorflows_layout(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Ask the reader for each of its names, and put PyTorch's tensor of that place there."""
    back = {(2, 3, 0, 1): (2, 3, 0, 1), (3, 2, 0, 1): (2, 3, 1, 0)}
    asked: dict[str, np.ndarray] = {}

    class Recorder(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            self.last = name
            return self

        def transpose(self, *axes: int) -> tuple[str, tuple[int, ...]]:
            return self.last, axes

    recorder = Recorder()
    for ours, value in _renamed(recorder):
        name, axes = value if isinstance(value, tuple) else (recorder.last, None)
        array = state[ours].numpy()
        asked[name] = np.ascontiguousarray(array if axes is None else array.transpose(back[axes]))
    return asked
