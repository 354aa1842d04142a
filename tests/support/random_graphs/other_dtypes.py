"""Random nodes on values that are not float32."""

from __future__ import annotations

import numpy as np

from random_graphs.graph import Graph, Value

INPUT_DTYPES = (np.uint8, np.int32, np.int64, np.float16, np.float64)


def to_float(graph: Graph, value: Value) -> None:
    """What a network does with pixels: to float32, scaled."""
    number = graph.node("Cast", [value], exact=True, to=1)[0]
    graph.node("Mul", [number, graph.constant(1 / 255)])


def arithmetic(graph: Graph, value: Value) -> None:
    operator = graph.choose(["Add", "Sub", "Mul"])
    small = value.array.dtype in (np.uint8, np.int8, np.int16, np.uint16, np.bool_)
    if not small or (graph.opset >= 14 and value.array.dtype != np.bool_):
        graph.node(operator, [value, graph.constant(graph.integer(1, 3), value.array.dtype)], exact=True)


def equal(graph: Graph, value: Value) -> None:
    if value.array.dtype in (np.int32, np.int64, np.bool_):
        graph.node("Equal", [value, graph.constant(1, value.array.dtype)], exact=True)


def negate(graph: Graph, value: Value) -> None:
    if value.array.dtype == np.bool_:
        graph.node("Not", [value], exact=True)


OTHER_DTYPES = {"to float": to_float, "arithmetic": arithmetic, "Equal": equal, "Not": negate}
