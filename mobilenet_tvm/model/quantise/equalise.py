"""Cross-layer equalisation: channels of like ranges, the float network unchanged.

Nagel et al. 2019, arXiv 1906.04721, section 4.1: where a convolution's channels reach another one through nothing but
positively homogeneous functions, f(sx) = s f(x) for s > 0, dividing channel c of the first by s_c and multiplying the
second's weights for it by s_c changes no result. The paper equalises r1 / s and r2 s with s = sqrt(r1 / r2), r1 and r2
the ranges of both layers' weights, which it quantises per tensor. Ours are quantised per output channel, and what has
one scale for all channels is the tensor between: so r1 is the range of that tensor's channel on the calibration images.
A depthwise layer has a scale for each channel that it reads, whatever that is divided by: s = r1 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mobilenet_tvm.model.quantise.graph import Graph
from mobilenet_tvm.model.quantise.pairs import Pair, pairs

if TYPE_CHECKING:
    import numpy as np
    from onnx import ModelProto

_SWEEPS = 20
_CLOSE = 1e-3
"""A sweep that moves no factor by more than this share is the last."""
_LARGEST = 2.0**16
"""Factors lie between this and its inverse: beyond, float32 would lose what it is divided by."""


def equalise(model: ModelProto, ranges: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Equalise a network in place.

    :param ranges: of each tensor of ``between(model)`` the largest magnitude of each channel.
    :returns: of each tensor whose channels were divided what each was divided by.
    """
    import numpy as np

    graph = Graph(model)
    found = pairs(graph)
    totals = {pair.tensor: np.ones(pair.channels) for pair in found}
    for _ in range(_SWEEPS):
        moved = 0.0
        for pair in found:
            factors = _factors(graph, pair, np.asarray(ranges[pair.tensor]) / totals[pair.tensor])
            pair.scale(graph, factors)
            totals[pair.tensor] *= factors
            moved = max(moved, float(np.abs(np.log(factors)).max()))
        if moved < _CLOSE:
            break
    return {name: factors for name, factors in totals.items() if not np.allclose(factors, 1)}


def between(model: ModelProto) -> list[str]:
    """The tensors whose channels ``equalise`` needs to know the ranges of."""
    return [pair.tensor for pair in pairs(Graph(model))]


def _factors(graph: Graph, pair: Pair, reach: np.ndarray) -> np.ndarray:
    """What to divide each channel between two layers by, at this sweep."""
    import numpy as np

    weights = np.ones_like(reach) if pair.is_depthwise else pair.reading_ranges(graph)
    alive = (reach > 0) & (weights > 0)
    quotient = np.divide(reach, weights, out=np.ones_like(reach), where=alive)
    factors = quotient if pair.is_depthwise else np.sqrt(quotient)
    middle = np.exp(np.log(factors[alive]).mean()) if alive.any() else 1.0  # a common factor equalises nothing
    factors = np.where(alive, factors / middle, 1.0).clip(1 / _LARGEST, _LARGEST)
    return np.where(pair.may_divide(graph, factors), factors, 1.0)
