"""Biases that a quantiser clipped are named with their layers, in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from qdq_network import QdqNetwork

from tvm_pipeline.importer.clipped_biases import warn_of_clipped_biases
from tvm_pipeline.importer.import_onnx import read_onnx


def _warnings(largest: list[int], folder: Path) -> list[str]:
    """Of a network with so large a bias in each of its layers."""
    network = QdqNetwork()
    x = network.quantised(network.input([1, 16, 6, 6]), 0.03, 121)
    for bias in largest:
        values = network.constant([bias, *range(15)], np.int32)
        parts = network.constant(np.full(16, 1e-7)), network.constant(np.zeros(16), np.int32)
        weight = network.weights(16, 16, 1, 1)
        x = network.node("Conv", x, weight, network.node("DequantizeLinear", values, *parts, axis=0))
        x = network.quantised(x, 0.03, 121)
    told: list[str] = []
    warn_of_clipped_biases(read_onnx(network.output(x).save(folder / "network.onnx")), told.append)
    return told


def test_clipped_biases_are_named(tmp_path: Path) -> None:
    assert _warnings([2**31 - 2, 2**30], tmp_path) == []
    (line,) = _warnings([2**31 - 1, 5, -(2**31) + 1, -(2**31), 2**31 - 1, 2**31 - 1], tmp_path)
    assert "'conv" in line and "(1 channels)" in line and "and 2 more" in line and "\n" not in line
