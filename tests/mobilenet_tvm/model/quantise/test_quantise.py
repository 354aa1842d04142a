"""A float file becomes a QDQ file of one form, whoever quantises, in a process without torch and TVM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from emulated_places import silent
from onnx_network import Network

from mobilenet_tvm.base.errors import UserError
from mobilenet_tvm.base.events import Event, Warned
from mobilenet_tvm.model.quantise import cached, finish, quantisers
from mobilenet_tvm.model.quantise.graph import Graph
from mobilenet_tvm.model.source import ModelSource, find_model
from mobilenet_tvm.package.seeded_inputs import seeded_inputs
from mobilenet_tvm.package.yardstick import expected_outputs


@pytest.fixture
def source(tiny_onnx: Path) -> ModelSource:
    """The small network, as if nobody had trained it, so that random images will do."""
    return replace(find_model(str(tiny_onnx), None, None, silent), random_weights=True)


def _by(name: str, source: ModelSource, monkeypatch: pytest.MonkeyPatch) -> ModelSource:
    monkeypatch.setattr(quantisers, "best", lambda: name)
    return cached.quantised(source, None, silent)


@pytest.mark.parametrize("name", quantisers.QUANTISERS)
def test_the_form_of_the_file(name: str, source: ModelSource, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _by(name, source, monkeypatch)
    assert made.quantisation is not None
    assert made.quantisation.quantiser.startswith(name)
    assert made.quantisation.float_sha256 == source.onnx_sha256
    model = onnx.load(made.onnx)
    onnx.checker.check_model(model, full_check=True)
    graph = Graph(model)
    assert [node.op_type for node in graph.weighted()] == []  # all weights come from a DequantizeLinear
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    assert len(layers) == 4
    for node in layers:
        data, weight, *biases = (graph.makers[value] for value in node.input)
        data = graph.makers[data.input[0]] if data.op_type == "Flatten" else data
        scale, zero = graph.constant(data.input[1]), graph.constant(data.input[2])
        assert scale is not None and zero is not None and scale.size == 1 and zero.dtype == np.uint8
        weights, scales, zeros = (graph.constant(value) for value in weight.input)
        assert weights is not None and scales is not None and zeros is not None
        assert weights.dtype == np.int8 and scales.shape == (weights.shape[0],) and not zeros.any()
        for bias in biases:
            integers, step = (graph.constant(value) for value in bias.input[:2])
            assert integers is not None and step is not None and integers.dtype == np.int32
            np.testing.assert_allclose(step, scale * scales, rtol=1e-6)
    assert graph.makers[model.graph.output[0].name].op_type == "Gemm"
    read = {value for node in model.graph.node for value in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= read


@pytest.mark.parametrize("name", quantisers.QUANTISERS)
def test_its_numbers_are_near_the_float_network_s(
    name: str, source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = seeded_inputs(source.inputs, seed=5, count=16)
    right, made = (
        np.concatenate([outputs[0] for outputs in expected_outputs(onnx, inputs)])
        for onnx in (source.onnx, _by(name, source, monkeypatch).onnx)
    )
    assert np.linalg.norm(made - right) < 0.04 * np.linalg.norm(right)


def test_nothing_is_quantised_twice(source: ModelSource, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _by("onnxruntime", source, monkeypatch)
    assert cached.kept_file(made.onnx_sha256) == made.onnx
    assert cached.kept_file("0" * 64) is None
    monkeypatch.setattr(cached, "run_child", None)
    assert _by("onnxruntime", source, monkeypatch) == made


def test_random_images_and_weights_are_told(source: ModelSource) -> None:
    events: list[Event] = []
    cached.quantised(source, None, events.append)
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert [text for text in warnings if "random images" in text]
    assert [text for text in warnings if "random weights" in text]


def test_trained_weights_want_images(source: ModelSource) -> None:
    with pytest.raises(UserError, match="--calibration DIR"):
        cached.quantised(replace(source, random_weights=False), None, silent)


def test_a_network_without_weights_is_refused(tmp_path: Path) -> None:
    network = Network()
    path = network.output(network.node("Relu", network.input([1, 3, 8, 8]))).save(tmp_path / "relu.onnx")
    source = replace(find_model(str(path), None, None, silent), random_weights=True)
    with pytest.raises(UserError, match="neither a convolution nor a dense layer"):
        cached.quantised(source, None, silent)


def test_a_network_of_two_inputs_is_refused(tmp_path: Path) -> None:
    network = Network()
    total = network.node("Add", network.input([1, 3, 8, 8], "a"), network.input([1, 3, 8, 8], "b"))
    path = network.output(network.conv(total, 3, 4)).save(tmp_path / "two.onnx")
    with pytest.raises(UserError, match="other inputs than one of float32"):
        cached.quantised(replace(find_model(str(path), None, None, silent), random_weights=True), None, silent)


@pytest.mark.parametrize("name", quantisers.QUANTISERS)
def test_an_activation_that_needs_a_table_reads_eight_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HardSwish is no limit of a range, and stays one operator: it reads steps and is rounded to steps."""
    network = Network(seed=2)
    data = network.node("HardSwish", network.conv(network.input([1, 3, 12, 12]), 3, 8, 3))
    data = network.node("HardSwish", network.conv(data, 8, 8, 3, group=8))
    path = network.output(network.conv(data, 8, 4)).save(tmp_path / "swish.onnx")
    source = replace(find_model(str(path), None, None, silent), random_weights=True)
    made = _by(name, source, monkeypatch)
    graph = Graph(onnx.load(made.onnx))
    activations = [node for node in graph.model.graph.node if node.op_type == "HardSwish"]
    assert len(activations) == 2
    for node in activations:
        assert graph.makers[node.input[0]].op_type == "DequantizeLinear"
        assert [reader.op_type for reader in graph.readers[node.output[0]]] == ["QuantizeLinear"]
    inputs = seeded_inputs(source.inputs, seed=5)
    for right, outputs in zip(*(expected_outputs(file.onnx, inputs) for file in (source, made)), strict=True):
        assert np.linalg.norm(outputs[0] - right[0]) < 0.05 * np.linalg.norm(right[0])


def test_an_old_file_with_batch_normalisation(tmp_path: Path) -> None:
    """Opset 11 has no scales per channel: it is converted; the normalisation goes into the convolution."""
    network = Network()
    data = network.node("Relu", network.batch_norm(network.conv(network.input(["N", 3, 8, 8]), 3, 8, bias=False), 8))
    model = network.output(network.conv(data, 8, 4)).model()
    model.opset_import[0].version = 11
    onnx.save(model, tmp_path / "old.onnx")
    source = find_model(str(tmp_path / "old.onnx"), None, {"input": [2, 3, 8, 8]}, silent)
    made = cached.quantised(replace(source, random_weights=True), None, silent)
    assert "BatchNormalization" not in {node.op_type for node in onnx.load(made.onnx).graph.node}
    inputs = seeded_inputs(source.inputs, seed=5)
    for right, outputs in zip(*(expected_outputs(file.onnx, inputs) for file in (source, made)), strict=True):
        assert np.linalg.norm(outputs[0] - right[0]) < 0.05 * np.linalg.norm(right[0])


def test_a_bias_that_tiny_weights_cannot_carry_is_not_clipped() -> None:
    """A dead channel: its bias in steps of its sums would need 40 bits; its weights get a larger scale."""
    weights = np.array([[[[1.0]]], [[[1e-9]]]], np.float32)
    network = Network()
    data = network.node("Conv", network.input([1, 1, 4, 4]), network.constant(weights), network.constant([0.5, 3.0]))
    model = network.output(data).model()
    quantised = _qdq(model, weights)
    finish.integer_biases(quantised)
    onnx.checker.check_model(quantised)
    graph = Graph(quantised)
    (conv,) = (node for node in quantised.graph.node if node.op_type == "Conv")
    integers, scale = (graph.constant(value) for value in graph.makers[conv.input[2]].input[:2])
    assert integers is not None and scale is not None
    np.testing.assert_allclose(integers * scale.astype(np.float64), [0.5, 3.0], rtol=1e-4)
    assert np.abs(integers.astype(np.int64)).max() <= 2**30


def _qdq(model: onnx.ModelProto, weights: np.ndarray) -> onnx.ModelProto:
    """The convolution with quantised data and weights, and a float bias."""
    scales = np.abs(weights).max(axis=(1, 2, 3)) / 127
    values = {
        "x_scale": np.float32(0.02),
        "x_zero": np.uint8(128),
        "w_scale": scales.astype(np.float32),
        "w_zero": np.zeros(2, np.int8),
        "w_integers": np.rint(weights / scales[:, None, None, None]).astype(np.int8),
    }
    model.graph.initializer.extend(onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in values.items())
    make = onnx.helper.make_node
    nodes = [
        make("QuantizeLinear", ["input", "x_scale", "x_zero"], ["x_integers"]),
        make("DequantizeLinear", ["x_integers", "x_scale", "x_zero"], ["x"]),
        make("DequantizeLinear", ["w_integers", "w_scale", "w_zero"], ["w"], axis=0),
        *model.graph.node,
    ]
    nodes[-1].input[0], nodes[-1].input[1] = "x", "w"
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
