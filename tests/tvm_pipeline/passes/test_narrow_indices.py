"""Tensors of rank 0 and without elements, and rows of infinities, through the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx_network import Network
from operator_outcome import expected_outputs, outcome_beside_onnxruntime
from outcome import RIGHT, outcome_of

from tvm_pipeline.hardware.target import CpuTarget


def _network(build: Callable[[Network, str], str]) -> Network:
    network = Network()
    return network.output(build(network, network.input([1, 8, 6, 6])))


def test_scalar_that_is_computed_at_run_time(target: CpuTarget) -> None:
    def build(network: Network, data: str) -> str:
        scalar = network.node("ReduceMean", data, keepdims=0)
        shifted = network.node("Sub", data, scalar)
        return network.node("Clip", shifted, "", scalar)

    outcome = outcome_beside_onnxruntime(_network(build).model(), target)
    assert outcome.kind == RIGHT, outcome


def test_maximum_of_nothing_but_infinities(target: CpuTarget) -> None:
    model = _network(lambda network, data: network.node("ReduceMax", data, network.constant([3], np.int64))).model()
    data = np.random.default_rng(0).standard_normal((1, 8, 6, 6)).astype(np.float32)
    data[0, 2, 1] = -np.inf
    outcome = outcome_of(model, [data], expected_outputs(model, {"input": data}), target)
    assert outcome.kind == RIGHT, outcome


def test_part_without_elements(target: CpuTarget) -> None:
    def build(network: Network, data: str) -> str:
        none = [network.constant([value], np.int64) for value in (9, 20, 1)]
        return network.node("Concat", data, network.node("Slice", data, *none), data, axis=1)

    outcome = outcome_beside_onnxruntime(_network(build).model(), target)
    assert outcome.kind == RIGHT, outcome
