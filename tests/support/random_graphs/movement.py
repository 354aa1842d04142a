"""Random nodes that move values: shapes, slices, joins, padding, gathers; and those that rank them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from random_graphs.graph import Graph, Value


def _ints(graph: Graph, *values: int) -> Value:
    return graph.constant(values, np.int64)


def reshape(graph: Graph, value: Value) -> None:
    sizes = list(value.shape)
    if graph.flag("merged") and len(sizes) > 1:
        axis = graph.integer(0, len(sizes) - 2, "axis")
        sizes[axis : axis + 2] = [sizes[axis] * sizes[axis + 1]]
    elif sizes and max(sizes) > 1:
        axis = graph.choose([axis for axis, size in enumerate(sizes) if size > 1], "axis")
        factor = next(factor for factor in range(2, sizes[axis] + 1) if sizes[axis] % factor == 0)
        sizes[axis : axis + 1] = [factor, sizes[axis] // factor]
    if sizes and graph.flag("inferred"):
        sizes[graph.integer(0, len(sizes) - 1, "unknown")] = -1
    graph.node("Reshape", [value, _ints(graph, *sizes)], exact=True)


def reshape_by_shape(graph: Graph, value: Value) -> None:
    """``x.view(x.size(0), -1)`` as exporters spell it, with nodes that compute the shape."""
    if value.rank < 2:
        return
    shape = graph.node("Shape", [value], exact=True)[0]
    batch = graph.node("Gather", [shape, _ints(graph, 0)], exact=True, axis=0)[0]
    sizes = graph.node("Concat", [batch, _ints(graph, -1)], exact=True, axis=0)[0]
    graph.node("Reshape", [value, sizes], exact=True)


def flatten(graph: Graph, value: Value) -> None:
    graph.node("Flatten", [value], exact=True, axis=graph.integer(0, value.rank, "axis"))


def transpose(graph: Graph, value: Value) -> None:
    order = graph.random.permutation(value.rank).tolist()
    graph.node("Transpose", [value], exact=True, **({"perm": order} if graph.flag("order") else {}))


def squeeze(graph: Graph, value: Value) -> None:
    axes = [axis for axis, size in enumerate(value.shape) if size == 1]
    if not axes:
        return
    if graph.opset >= 13:
        graph.node("Squeeze", [value, _ints(graph, *axes)], exact=True)
    else:
        graph.node("Squeeze", [value], exact=True, axes=axes)


def unsqueeze(graph: Graph, value: Value) -> None:
    axis = graph.integer(0, value.rank, "axis")
    if value.rank > 4:
        return
    if graph.opset >= 13:
        graph.node("Unsqueeze", [value, _ints(graph, axis)], exact=True)
    else:
        graph.node("Unsqueeze", [value], exact=True, axes=[axis])


def concat(graph: Graph, value: Value) -> None:
    if not value.rank:
        return
    axis = graph.integer(0, value.rank - 1, "axis")
    shape = list(value.shape)
    shape[axis] = graph.integer(1, 5, "more")
    joined = [value, graph.normal(*shape) if value.is_float else value, *([value] if graph.flag("twice") else [])]
    graph.node("Concat", joined, exact=True, axis=axis)


def split(graph: Graph, value: Value) -> None:
    axes = [axis for axis, size in enumerate(value.shape) if size > 1]
    if not axes:
        return
    axis = graph.choose(axes, "axis")
    first = graph.integer(1, value.shape[axis] - 1, "first")
    sizes = [first, value.shape[axis] - first]
    if graph.opset >= 13:
        graph.node("Split", [value, _ints(graph, *sizes)], results=2, exact=True, axis=axis)
    else:
        graph.node("Split", [value], results=2, exact=True, axis=axis, split=sizes)


def slice_(graph: Graph, value: Value) -> None:
    if not value.rank:
        return
    axis = graph.integer(0, value.rank - 1, "axis")
    size = value.shape[axis]
    start = graph.integer(-size, size - 1, "start")
    end = graph.choose([size, 2**31 - 1, graph.integer(-size, size, "end")])
    if graph.opset < 10:
        graph.node("Slice", [value], exact=True, axes=[axis], starts=[start], ends=[end])
        return
    step = graph.choose([1, 2, -1], "step")
    start, end = (start, end) if step > 0 else (2**31 - 1, -(2**31))
    steps = [_ints(graph, step)] if step != 1 or graph.flag("steps") else []
    graph.node("Slice", [value, _ints(graph, start), _ints(graph, end), _ints(graph, axis), *steps], exact=True)


def pad(graph: Graph, value: Value) -> None:
    if value.rank < 2:
        return
    mode = graph.choose(["constant", "reflect", "edge"], "mode")
    pads = [0] * (2 * value.rank)
    for axis in range(value.rank - 2 if value.rank > 2 else 0, value.rank):
        most = 2 if mode != "reflect" else min(2, value.shape[axis] - 1)
        for side in (axis, value.rank + axis):
            pads[side] = graph.integer(-1 if mode == "constant" and value.shape[axis] > 3 else 0, most, "pad")
    if graph.opset < 11:
        graph.node("Pad", [value], exact=True, mode=mode, pads=pads, value=0.5)
        return
    filling = [graph.constant(0.5)] if mode == "constant" and value.is_float and graph.flag("value") else []
    graph.node("Pad", [value, _ints(graph, *pads), *filling], exact=True, mode=mode)


def gather(graph: Graph, value: Value) -> None:
    if not value.rank:
        return
    axis = graph.integer(0, value.rank - 1, "axis")
    low = -value.shape[axis] if graph.opset >= 11 else 0
    shape = graph.choose([(), (1,), (3,), (2, 2)], "shape")
    indices = graph.random.integers(low, value.shape[axis], shape)
    graph.node("Gather", [value, graph.constant(indices, np.int64)], exact=True, axis=axis)


def tile(graph: Graph, value: Value) -> None:
    if value.rank and prod(value.shape) < 2000:
        graph.node("Tile", [value, _ints(graph, *(graph.integer(1, 2, "times") for _ in value.shape))], exact=True)


def expand(graph: Graph, value: Value) -> None:
    if graph.opset >= 8 and prod(value.shape) < 2000:
        sizes = [graph.choose([1, 3]) if size == 1 else size for size in value.shape]
        graph.node(
            "Expand",
            [value, _ints(graph, *([2] if graph.flag("new axis") and value.rank < 5 else []), *sizes)],
            exact=True,
        )


def cast(graph: Graph, value: Value) -> None:
    if value.exact:
        graph.node("Cast", [value], exact=True, to=graph.choose([1, 6, 7], "to"))


def arg(graph: Graph, value: Value) -> None:
    if not value.exact or not value.rank or not value.is_float:
        return
    attributes: dict[str, Any] = {"axis": graph.integer(0, value.rank - 1), "keepdims": graph.integer(0, 1)}
    if graph.opset >= 12:
        attributes["select_last_index"] = graph.integer(0, 1, "last")
    graph.node(graph.choose(["ArgMax", "ArgMin"]), [value], exact=True, **attributes)


def top_k(graph: Graph, value: Value) -> None:
    if not value.exact or not value.rank or not value.is_float:
        return
    axis = graph.integer(0, value.rank - 1, "axis")
    count = graph.integer(1, value.shape[axis], "k")
    attributes: dict[str, Any] = {"axis": axis}
    if graph.opset >= 11:
        attributes["largest"] = graph.integer(0, 1, "largest")
    if graph.opset < 10:
        graph.node("TopK", [value], results=2, exact=True, k=count, **attributes)
    else:
        graph.node("TopK", [value, _ints(graph, count)], results=2, exact=True, **attributes)


def cum_sum(graph: Graph, value: Value) -> None:
    if graph.opset >= 11 and value.rank and value.is_float:
        axis = graph.constant(graph.integer(0, value.rank - 1, "axis"), np.int64)
        graph.node("CumSum", [value, axis], exclusive=graph.integer(0, 1), reverse=graph.integer(0, 1))


def channel_shuffle(graph: Graph, value: Value) -> None:
    """Reshape, transpose, reshape: ShuffleNet's."""
    if value.rank != 4 or value.shape[1] % 2:
        return
    batch, channels, height, width = value.shape
    parts = graph.node("Reshape", [value, _ints(graph, batch, 2, channels // 2, height, width)], exact=True)[0]
    swapped = graph.node("Transpose", [parts], exact=True, perm=[0, 2, 1, 3, 4])[0]
    graph.node("Reshape", [swapped, _ints(graph, batch, channels, height, width)], exact=True)


def dropout(graph: Graph, value: Value) -> None:
    graph.node("Dropout", [value], exact=True, **({"ratio": 0.3} if graph.opset < 12 else {}))


MOVEMENT = {
    "Reshape": reshape,
    "Shape": reshape_by_shape,
    "Flatten": flatten,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Concat": concat,
    "Split": split,
    "Slice": slice_,
    "Pad": pad,
    "Gather": gather,
    "Tile": tile,
    "Expand": expand,
    "Cast": cast,
    "Arg": arg,
    "TopK": top_k,
    "CumSum": cum_sum,
    "shuffle": channel_shuffle,
    "Dropout": dropout,
}
