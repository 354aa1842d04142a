"""How much noise eight bits leave in each layer: the quantised file's tensors beside the float file's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tvm.base.document import Document
from mobilenet_tvm.model.quantise.activations import values
from mobilenet_tvm.model.quantise.finish import EQUALISED
from mobilenet_tvm.model.quantise.graph import WEIGHTED, Graph

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

_BEHIND = (
    *("BatchNormalization", "Relu", "LeakyRelu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid"),
    *("QuantizeLinear", "DequantizeLinear"),
)
"""What belongs to the layer before it."""


class LayerNoise(Document):
    """A convolution or dense layer of a quantised network.

    :ivar layer: the node's name, or that of its result.
    :ivar snr_db: its results' power over that of their difference from the float network's, in decibels; null where
        nothing is lost.
    """

    layer: str
    kind: str
    snr_db: float | None


def layer_noise(float_onnx: Path, quantised: Path, feeds: Iterable[Mapping[str, np.ndarray]]) -> tuple[LayerNoise, ...]:
    """Every layer that both files have, worst first: behind its activation, and dequantised."""
    import onnx

    models = onnx.load(float_onnx), onnx.load(quantised)
    plain, rounded = (Graph(model) for model in models)
    layers = {
        node.output[0]: node
        for node in models[1].graph.node
        if node.op_type in WEIGHTED and node.output[0] in plain.makers
    }
    ends = {name: (_end(plain, name), _end(rounded, name)) for name in layers}
    power = _powers(models, ends, feeds)
    noise = [
        LayerNoise(layer=layers[name].name or name, kind=layers[name].op_type, snr_db=_decibels(*power[name]))
        for name in ends
    ]
    return tuple(sorted(noise, key=lambda layer: float("inf") if layer.snr_db is None else layer.snr_db))


def _end(graph: Graph, name: str) -> str:
    """What becomes of a layer's sums before anything else reads them."""
    while (node := graph.only_reader(name)) is not None and node.op_type in _BEHIND and node.input[0] == name:
        name = node.output[0]
    return name


def _powers(
    models: tuple[ModelProto, ModelProto],
    ends: Mapping[str, tuple[str, str]],
    feeds: Iterable[Mapping[str, np.ndarray]],
) -> dict[str, tuple[float, float]]:
    """By layer the sums of squares of its results and of their noise."""
    import numpy as np

    factors = _equalised(models[1])
    power = dict.fromkeys(ends, (0.0, 0.0))
    both = (
        values(model, [pair[which] for pair in ends.values()], feeds, as_written=True)
        for which, model in enumerate(models)
    )
    for plain, rounded in zip(*both, strict=True):
        for name, (right_name, made_name) in ends.items():
            right, made = plain[right_name].astype(np.float64), rounded[made_name].astype(np.float64)
            if right_name in factors:
                made = made * factors[right_name].reshape(1, -1, *[1] * (made.ndim - 2))
            signal, noise = power[name]
            power[name] = signal + float((right**2).sum()), noise + float(((made - right) ** 2).sum())
    return power


def _equalised(model: ModelProto) -> dict[str, np.ndarray]:
    """What the channels of layers' results, behind their activations, were divided by."""
    import numpy as np

    texts = [entry.value for entry in model.metadata_props if entry.key == EQUALISED]
    return {name: np.asarray(factors) for text in texts for name, factors in json.loads(text).items()}


def _decibels(signal: float, noise: float) -> float | None:
    import math

    if noise == 0:
        return None
    return 10 * math.log10(max(signal, 1e-300) / noise)
