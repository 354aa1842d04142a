"""The strategy that puts a random graph together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from hypothesis import assume
from hypothesis import strategies as st

from random_graphs.elementwise import ELEMENTWISE
from random_graphs.graph import Graph, run
from random_graphs.movement import MOVEMENT
from random_graphs.other_dtypes import INPUT_DTYPES, OTHER_DTYPES
from random_graphs.windows import IMAGES_OF_RANK_4, WINDOWS, is_image

OPSETS = (7, 23)
_MILLIONTH = 1e-6
_CHANNELS = (1, 2, 3, 4, 5, 8, 12, 16, 24, 30, 32)


@dataclass(frozen=True)
class Example:
    """A graph, what is fed to it, and what ONNX Runtime makes of that, all in the graph's order.

    :ivar slack: per output, how far it moves where floating-point inputs move by a millionth: where sums cancel, no
        order of them is exact.
    """

    model: onnx.ModelProto
    inputs: list[np.ndarray]
    outputs: list[np.ndarray]
    slack: list[float]

    def __repr__(self) -> str:
        return f"opset {self.model.opset_import[0].version}\n{onnx.printer.to_text(self.model.graph)}"


def _input(graph: Graph) -> None:
    rank = graph.choose([4, 4, 4, 4, 3, 2, 5], "rank")
    batch = graph.choose([1, 1, 1, 2], "batch")
    channels = graph.choose(_CHANNELS, "channels")
    sizes = [graph.integer(1, 6 if rank == 5 else 12, "size") for _ in range(rank - 2)]
    dtype = graph.choose([*[np.float32] * 15, *INPUT_DTYPES], "dtype")
    shape = (batch, channels, *sizes)
    is_whole = np.issubdtype(dtype, np.integer)
    values = graph.random.integers(0, 256, shape) if is_whole else graph.random.standard_normal(shape)
    graph.input(values.astype(dtype))


def _grow(graph: Graph) -> None:
    """Adds a node (or a few that belong together) that reads one of the latest values."""
    value = graph.choose(graph.values[-3:], "value")
    known: dict[str, Any] = dict(MOVEMENT)
    known |= ELEMENTWISE if value.is_float else OTHER_DTYPES
    if is_image(value):
        known |= WINDOWS
    if is_image(value) and value.rank == 4:
        known |= IMAGES_OF_RANK_4
    known[graph.choose(sorted(known), "operator")](graph, value)


@st.composite
def graphs(draw: Any) -> Example:
    """Graphs of one to six nodes, or small families of nodes, that ONNX Runtime runs."""
    graph = Graph(draw, draw(st.integers(*OPSETS), label="opset"))
    for _ in range(graph.choose([1, 1, 1, 2], "inputs")):
        _input(graph)
    for _ in range(graph.integer(1, 6, "nodes")):
        _grow(graph)
    assume(any(node.op_type != "Constant" for node in graph.nodes))
    model = graph.model()
    inputs = [value.array for value in graph.inputs]
    outputs = run(model, {value.name: value.array for value in graph.inputs})
    moved = run(model, {value.name: _moved(graph, value.array) for value in graph.inputs})
    return Example(model, inputs, outputs, [_distance(*pair) for pair in zip(moved, outputs, strict=True)])


def _moved(graph: Graph, array: np.ndarray) -> np.ndarray:
    if not np.issubdtype(array.dtype, np.floating):
        return array
    return (array * (1 + _MILLIONTH * graph.random.standard_normal(array.shape))).astype(array.dtype)


def _distance(moved: np.ndarray, output: np.ndarray) -> float:
    """The largest of finite values; 0 of outputs that are no floating-point numbers, or of another shape then."""
    if not np.issubdtype(output.dtype, np.floating) or moved.shape != output.shape:
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.abs(moved.astype(np.float64) - output)
    return float(distances[np.isfinite(distances)].max(initial=0.0))
