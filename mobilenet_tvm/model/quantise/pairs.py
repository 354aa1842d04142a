"""Pairs of layers that channels may be scaled between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobilenet_tvm.model.quantise.graph import Graph, attribute

if TYPE_CHECKING:
    import numpy as np
    from onnx import NodeProto

_HOMOGENEOUS = ("Relu", "LeakyRelu", "MaxPool", "AveragePool", "GlobalAveragePool")
"""f(sx) = s f(x), channel by channel."""
_DENSE = ("Gemm", "MatMul")
_FLATTENS = ("Flatten", "Reshape", "Squeeze")


@dataclass(frozen=True)
class Pair:
    """Two layers, and what lies between.

    :ivar tensor: the last tensor between them that has channels along axis 1, behind the activation.
    :ivar limit: where a Clip lies between: its upper bound.
    """

    first: NodeProto
    second: NodeProto
    tensor: str
    channels: int
    limit: float | None = None

    @property
    def is_depthwise(self) -> bool:
        """Whether each output channel of the second layer reads one channel."""
        return attribute(self.second, "group", 1) == self.channels > 1

    def reading_ranges(self, graph: Graph) -> np.ndarray:
        """By channel the largest magnitude of the second layer's weights that read it."""
        import numpy as np

        return np.asarray(np.abs(self._by_reading(graph)).max(axis=1), np.float64)

    def scale(self, graph: Graph, factors: np.ndarray) -> None:
        """Divide the first layer's channels by ``factors``, multiply the second's weights by them."""
        import numpy as np

        first, divided = self.first, factors.astype(np.float64)
        for name in first.input[1:3]:
            value = graph.constant(name)
            if value is not None:
                graph.store(name, (value / divided.reshape(-1, *[1] * (value.ndim - 1))).astype(value.dtype))
        weights = self._by_reading(graph) * divided[:, None]
        self._store_by_reading(graph, weights)

    def may_divide(self, graph: Graph, factors: np.ndarray) -> np.ndarray:
        """By channel whether dividing by that factor leaves the function as it is.

        A Clip's upper bound is no function of the scale. It must be out of reach before and after: the paper replaces
        ReLU6 by ReLU, which is another network; a bound on what the channel can become proves where both are one.
        """
        import numpy as np

        if self.limit is None:
            return np.ones(len(factors), bool)
        bound = _largest_result(graph, self.first)
        if bound is None:
            return np.zeros(len(factors), bool)
        return np.asarray((bound <= self.limit) & (bound / factors <= self.limit))

    def _by_reading(self, graph: Graph) -> np.ndarray:
        """The second layer's weights as ``[channels, weights that read it]``."""
        import numpy as np

        weights = graph.constant(self.second.input[1])
        assert weights is not None
        if self.second.op_type in _DENSE:
            return weights.T if attribute(self.second, "transB", 0) else weights
        groups = attribute(self.second, "group", 1)
        split = weights.reshape(groups, -1, *weights.shape[1:])  # [group, outputs, inputs of the group, ...]
        return np.asarray(np.moveaxis(split, 2, 1).reshape(self.channels, -1))

    def _store_by_reading(self, graph: Graph, weights: np.ndarray) -> None:
        import numpy as np

        name = self.second.input[1]
        old = graph.constant(name)
        assert old is not None
        if self.second.op_type in _DENSE:
            new = weights.T if attribute(self.second, "transB", 0) else weights
        else:
            groups = attribute(self.second, "group", 1)
            outputs, inputs, *window = old.shape
            new = np.moveaxis(weights.reshape(groups, inputs, outputs // groups, *window), 1, 2).reshape(old.shape)
        graph.store(name, np.ascontiguousarray(new, old.dtype))


def pairs(graph: Graph) -> list[Pair]:
    """All pairs of a network, in its order."""
    firsts = (node for node in graph.weighted() if node.op_type == "Conv" and _owns_weights(graph, node))
    return [pair for first in firsts if (pair := _pair(graph, first)) is not None]


def _owns_weights(graph: Graph, node: NodeProto) -> bool:
    """Whether a layer's weights are stored, and no other node reads them."""
    return all(graph.is_initialiser(name) and graph.only_reader(name) for name in node.input[1:3] if name)


def _pair(graph: Graph, first: NodeProto) -> Pair | None:
    weights = graph.constant(first.input[1])
    assert weights is not None
    channels, limit, tensor, between = len(weights), None, first.output[0], first.output[0]
    is_flat = False
    while (node := graph.only_reader(between)) is not None and node.input[0] == between:
        if node.op_type in (*_DENSE, *(() if is_flat else ("Conv",))):
            fits = _reads(graph, node, channels) and _owns_weights(graph, node)
            return Pair(first, node, tensor, channels, limit) if fits else None
        if node.op_type not in (*_HOMOGENEOUS, *_FLATTENS, "Clip"):
            return None
        if node.op_type == "Clip":
            bounds = clip_bounds(graph, node)
            if bounds is None or bounds[0] != 0:
                return None
            limit = bounds[1] if limit is None else min(limit, bounds[1])
        is_flat = is_flat or node.op_type in _FLATTENS
        between = node.output[0]
        tensor = between if node.op_type in ("Relu", "LeakyRelu", "Clip") else tensor
    return None


def _reads(graph: Graph, second: NodeProto, channels: int) -> bool:
    """Whether a layer reads that many channels, each with weights of its own."""
    weights = graph.constant(second.input[1])
    if weights is None:
        return False
    if second.op_type in _DENSE:  # with more inputs than channels pixels are among them
        reads = weights.shape[1 if attribute(second, "transB", 0) else 0]
        return weights.ndim == 2 and bool(reads == channels) and not attribute(second, "transA", 0)
    return bool(weights.shape[1] * attribute(second, "group", 1) == channels)


def clip_bounds(graph: Graph, clip: NodeProto) -> tuple[float, float] | None:
    """What a Clip leaves; None where it computes a bound or lacks one."""
    values = [graph.constant(name) for name in clip.input[1:3]]
    known = [float(value) for value in values if value is not None]
    return (known[0], known[1]) if len(known) == 2 else None


def _largest_result(graph: Graph, layer: NodeProto) -> np.ndarray | None:
    """By channel a bound on a convolution's results; None where its input has none."""
    import numpy as np

    maker = graph.makers.get(layer.input[0])
    bounds = clip_bounds(graph, maker) if maker is not None and maker.op_type == "Clip" else None
    weights = graph.constant(layer.input[1])
    if bounds is None or weights is None:
        return None
    low, high = min(bounds[0], 0.0), max(bounds[1], 0.0)  # the border is zero
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    bias = graph.constant(layer.input[2]) if len(layer.input) > 2 else None
    return np.asarray(np.where(flat > 0, flat * high, flat * low).sum(axis=1) + (0 if bias is None else bias))
