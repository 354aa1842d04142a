"""``reference.npz`` holds all inputs and outputs of every dtype, bit by bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.model.onnx_inputs import DTYPES
from mobilenet_tvm.package.reference import Pair, read_first, read_reference, write_reference
from mobilenet_tvm.package.seeded_inputs import seeded_inputs


def test_all_tensors_of_every_dtype(tmp_path: Path) -> None:
    described = [OnnxInput(name=dtype, shape=(2, 3), dtype=dtype) for dtype in DTYPES]
    outputs = (np.array([np.nan, np.inf, -np.inf, -0.0], np.float32), np.zeros((1, 0), np.int64), np.array(True))
    written = [Pair(inputs, outputs) for inputs in seeded_inputs(described)]
    write_reference(tmp_path / "reference.npz", written)
    pairs = read_reference(tmp_path / "reference.npz")
    assert len(pairs) == len(written)
    for pair, right in zip(pairs, written, strict=True):
        for array, expected in zip((*pair.inputs, *pair.outputs), (*right.inputs, *right.outputs), strict=True):
            assert (array.dtype, array.shape, array.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())


def test_names_within_the_file(tmp_path: Path) -> None:
    """As older packages have them, and as the runner reads them."""
    x, y = np.zeros(1, np.float32), np.ones(1, np.float32)
    write_reference(tmp_path / "reference.npz", [Pair((x, x), (y,)), Pair((x, x), (y,))])
    assert set(np.load(tmp_path / "reference.npz")) == {"x0", "x0_1", "y0", "x1", "x1_1", "y1"}
    assert len(read_first(tmp_path / "reference.npz")[0]) == 2
