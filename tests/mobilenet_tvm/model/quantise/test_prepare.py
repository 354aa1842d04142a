"""What is folded before quantisation changes no number, and what cannot be folded stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_network import Network

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.model.quantise.prepare import prepared
from mobilenet_tvm.package.seeded_inputs import seeded_inputs
from mobilenet_tvm.package.yardstick import expected_outputs

INPUT = OnnxInput(name="input", shape=(1, 3, 12, 12))


def _prepared(network: Network, folder: Path) -> list[str]:
    """The operators that are left; the outputs are the same."""
    path = network.save(folder / "network.onnx")
    model = prepared(path, INPUT)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "prepared.onnx")
    inputs = seeded_inputs([INPUT], seed=3)
    for right, own in zip(*(expected_outputs(f, inputs) for f in (path, folder / "prepared.onnx")), strict=True):
        assert np.abs(own[0] - right[0]).max() <= 1e-5 * np.ptp(right[0])
    return [node.op_type for node in model.graph.node]


def _padded(network: Network, pads: list[int], value: float = 0.0, mode: str = "constant") -> str:
    amounts = network.constant(pads, np.int64)
    return network.node("Pad", network.input([1, 3, 12, 12]), amounts, network.constant(value), mode=mode)


@pytest.mark.parametrize("own", [[0, 0, 0, 0], [1, 0, 1, 2]])
def test_zeros_before_a_convolution_become_its_padding(own: list[int], tmp_path: Path) -> None:
    """As TensorFlow pads for a stride of two: below and to the right."""
    network = Network()
    data = network.conv(_padded(network, [0, 0, 0, 0, 0, 0, 1, 1]), 3, 8, 3, pads=own, strides=[2, 2])
    assert _prepared(network.output(data), tmp_path) == ["Conv"]


def test_padding_that_a_file_computes(tmp_path: Path) -> None:
    """As PyTorch's exporter spells it: amounts made of constants by other operators."""
    network = Network()
    zeros = network.node("ConstantOfShape", network.constant([6], np.int64))
    amounts = network.node("Concat", network.node("Cast", zeros, to=7), network.constant([1, 1], np.int64), axis=0)
    padded = network.node("Pad", network.input([1, 3, 12, 12]), amounts)
    assert _prepared(network.output(network.conv(padded, 3, 8, 3, pads=[0] * 4, strides=[2, 2])), tmp_path) == ["Conv"]


@pytest.mark.parametrize(
    ("pads", "value", "mode"),
    [
        ([0, 0, 0, 0, 0, 0, 1, 1], 0.5, "constant"),
        ([0, 0, 1, 1, 0, 0, 1, 1], 0.0, "reflect"),
        ([0, 0, -1, 0, 0, 0, 0, 0], 0.0, "constant"),
    ],
)
def test_other_padding_stays(pads: list[int], value: float, mode: str, tmp_path: Path) -> None:
    network = Network()
    data = network.conv(_padded(network, pads, value, mode), 3, 8, 3, pads=[0, 0, 0, 0])
    assert _prepared(network.output(data), tmp_path) == ["Pad", "Conv"]


def test_padding_that_others_read_stays(tmp_path: Path) -> None:
    network = Network()
    padded = _padded(network, [0, 0, 0, 0, 0, 0, 1, 1])
    sums = [network.conv(padded, 3, 8, 3, pads=[0, 0, 0, 0]) for _ in range(2)]
    assert "Pad" in _prepared(network.output(network.node("Add", *sums)), tmp_path)


@pytest.mark.parametrize("bias", [True, False])
def test_normalisation_goes_into_the_weights(bias: bool, tmp_path: Path) -> None:
    network = Network()
    data = network.batch_norm(network.conv(network.input([1, 3, 12, 12]), 3, 8, 3, bias=bias), 8)
    data = network.batch_norm(network.conv(network.node("Relu", data), 8, 8, 3, group=8, bias=bias), 8)
    assert _prepared(network.output(data), tmp_path) == ["Conv", "Relu", "Conv"]
