"""Equalisation leaves the float network as it is, and saves what eight bits lose where channels differ in range."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx_network import Network

from mobilenet_tvm.base.answers import OnnxInput
from mobilenet_tvm.model.quantise import by_onnxruntime
from mobilenet_tvm.model.quantise.activations import channel_ranges, values
from mobilenet_tvm.model.quantise.equalise import between, equalise
from mobilenet_tvm.model.quantise.finish import finish
from mobilenet_tvm.model.quantise.graph import Graph
from mobilenet_tvm.model.quantise.images import Feeds, random_batches
from mobilenet_tvm.model.quantise.pairs import pairs

FEEDS = Feeds("input", random_batches(OnnxInput(name="input", shape=(1, 3, 12, 12))))
CHANNELS = 16


def _planted(activation: str = "Relu", sigma: float = 2.0) -> onnx.ModelProto:
    """Standard, depthwise and pointwise layers and a classifier: one function for every ``sigma`` (of ReLUs)."""
    network = Network(seed=3)
    factors = np.exp(sigma * np.random.default_rng(5).standard_normal((4, CHANNELS))).astype(np.float32)

    def activated(data: str) -> str:
        bounds = [network.constant(bound) for bound in (0, 6)] if activation == "Clip" else []
        return network.node(activation, data, *bounds)

    def scaled(data: str, by: np.ndarray, of: np.ndarray | None, kernel: int, **attributes: int) -> str:
        """A convolution whose channels are ``by`` times what they were, of inputs that are ``of`` times that."""
        inputs = 3 if of is None else CHANNELS
        weight = network.weight(CHANNELS, inputs // attributes.get("group", 1), kernel, kernel)
        read = np.ones(1, np.float32) if of is None else of
        weight = weight / (read[:, None, None, None] if "group" in attributes else read[None, :, None, None])
        operands = [weight * by[:, None, None, None], network.vector(CHANNELS) * by / 4]
        return network.node("Conv", data, *map(network.constant, operands), pads=[kernel // 2] * 4, **attributes)

    one, two, three, four = factors
    data = activated(scaled(network.input([1, 3, 12, 12]), one, None, 3, strides=[2, 2]))
    data = activated(scaled(data, two, one, 3, group=CHANNELS))
    data = activated(scaled(data, three, two, 1))
    data = network.node("GlobalAveragePool", activated(scaled(data, four, three, 1)))
    dense = network.constant(network.weight(10, CHANNELS) / four)
    return network.output(network.node("Gemm", network.node("Flatten", data), dense, transB=1)).model()


def _outputs(model: onnx.ModelProto) -> np.ndarray:
    name = model.graph.output[0].name
    return np.stack([batch[name] for batch in values(model, [name], FEEDS)])


def _equalised(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    return changed, equalise(changed, channel_ranges(model, between(model), FEEDS))


def _error(quantised: onnx.ModelProto, right: np.ndarray) -> float:
    """What eight bits cost, as a share of the outputs' magnitude."""
    return float(np.linalg.norm(_outputs(quantised) - right) / np.linalg.norm(right))


def test_planted_ranges_cost_nothing_after_equalisation() -> None:
    """Factors of up to a hundred per channel: the same function, which eight bits per tensor cannot hold."""
    model = _planted()
    right = _outputs(model)
    even = _error(finish(by_onnxruntime.quantise(_planted(sigma=0), FEEDS), {}), right)
    before = _error(finish(by_onnxruntime.quantise(model, FEEDS), {}), right)
    changed, factors = _equalised(model)
    after = _error(finish(by_onnxruntime.quantise(changed, FEEDS), factors), right)
    assert len(factors) == 4
    assert np.abs(_outputs(changed) - right).max() <= 1e-5 * np.ptp(right)
    assert before > 4 * even, "the planted ranges are no trouble: this test shows nothing"
    assert after < before / 4
    assert after < 1.2 * even


@pytest.mark.parametrize("sigma", [0.0, 1.0, 4.0])
def test_a_network_with_relu6_stays_what_it_is(sigma: float) -> None:
    """Some channels reach 6, some cannot: whatever is scaled, no output moves."""
    model = _planted("Clip", sigma)
    changed, factors = _equalised(model)
    right = _outputs(model)
    assert np.abs(_outputs(changed) - right).max() <= 1e-5 * np.ptp(right)
    for name, divided in factors.items():
        assert (divided > 0).all(), name


def test_a_channel_that_reaches_six_is_left_alone() -> None:
    """The bound tells channels apart: of weights small enough all may be divided, of large ones none."""
    model = _planted("Clip", 0.0)
    graph = Graph(model)
    second = pairs(graph)[1]  # depthwise -> pointwise; what the depthwise layer reads is at most 6
    weights = graph.constant(second.first.input[1])
    bias = graph.constant(second.first.input[2])
    assert weights is not None
    assert bias is not None
    sizes = np.where(np.arange(CHANNELS) % 2, 0.01, 10).astype(np.float32)
    graph.store(second.first.input[1], np.abs(weights) / np.abs(weights).max() * sizes[:, None, None, None])
    graph.store(second.first.input[2], np.zeros_like(bias))
    _, factors = _equalised(model)
    divided = factors[second.tensor]
    assert (divided[::2] == 1).all()
    assert (divided[1::2] != 1).any()


def test_what_two_layers_read_is_not_scaled() -> None:
    network = Network()
    data = network.node("Relu", network.conv(network.input([1, 3, 12, 12]), 3, 8))
    left, right = network.conv(data, 8, 8), network.conv(data, 8, 8)
    assert not pairs(Graph(network.output(network.node("Add", left, right)).model()))


def test_shared_weights_are_not_scaled() -> None:
    network = Network()
    weight = network.constant(network.weight(8, 8, 1, 1))
    data = network.conv(network.input([1, 3, 12, 12]), 3, 8)
    for _ in range(3):
        data = network.node("Conv", network.node("Relu", data), weight)
    assert not pairs(Graph(network.output(data).model()))


def test_grouped_layers_are_scaled_by_the_groups_that_read_them() -> None:
    network = Network()
    data = network.node("Relu", network.conv(network.input([1, 3, 12, 12]), 3, 8))
    model = network.output(network.conv(data, 8, 12, group=4)).model()
    graph = Graph(model)
    right = _outputs(model)
    (pair,) = pairs(graph)
    pair.scale(graph, np.geomspace(1e-3, 1e3, 8))
    assert np.abs(_outputs(model) - right).max() <= 1e-5 * np.ptp(right)
