"""MaxPool, AveragePool, LpPool and their global forms, MaxUnpool."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, constant, places
from tvm_pipeline.importer.operators.windows import Window, windows_of
from tvm_pipeline.passes.dataflow import shape_of


def convert_max_pool(node: Node) -> relax.Expr:
    """MaxPool-1 to 22; the indices are computed apart, and dropped later where nothing reads them."""
    windows = windows_of(node)
    largest = node.emit(_pool(node, "max_pool", node.data, windows))
    if node.results == 1:
        return largest
    return relax.Tuple([largest, _indices_of_largest(node, windows)])


def convert_average_pool(node: Node) -> relax.Expr:
    """AveragePool-1 to 22."""
    windows, include = windows_of(node), bool(node.get("count_include_pad", 0))
    pooled = node.emit(_pool(node, "avg_pool", node.data, windows, count_include_pad=include))
    if not include or all(window.covered_after <= window.after for window in windows):
        return pooled
    # What ceil_mode adds beyond the padding was divided by, and is not to be.
    sizes = [window.kernel / window.count(include_padding=True) for window in windows]
    return relax.op.multiply(pooled, _outer(sizes, node.dtype))


def convert_lp_pool(node: Node) -> relax.Expr:
    """LpPool-2 to 22: ``(sum |x| ** p) ** (1 / p)``; padding adds nothing."""
    windows, p = windows_of(node), float(node.get("p", 2))
    powers = node.emit(_power(node, p))
    mean = node.emit(_pool(node, "avg_pool", powers, windows, count_include_pad=True))
    total = node.emit(relax.op.multiply(mean, node.scalar(float(np.prod([window.kernel for window in windows])))))
    return _root(node, total, p)


def convert_global_lp_pool(node: Node) -> relax.Expr:
    p = float(node.get("p", 2))
    axes = list(range(2, len(node.shape)))
    return _root(node, node.emit(relax.op.sum(node.emit(_power(node, p)), axes, keepdims=True)), p)


def _power(node: Node, p: float) -> relax.Expr:
    magnitude = node.emit(relax.op.abs(node.data))
    if p == 1:
        return magnitude
    return relax.op.multiply(magnitude, magnitude) if p == 2 else relax.op.power(magnitude, node.scalar(p))


def _root(node: Node, total: relax.Expr, p: float) -> relax.Expr:
    if p == 1:
        return total
    return relax.op.sqrt(total) if p == 2 else relax.op.power(total, node.scalar(1 / p))


def _pool(
    node: Node, name: str, data: relax.Expr, windows: Sequence[Window], *, count_include_pad: bool = False
) -> relax.Expr:
    operator = getattr(relax.op.nn, f"{name}{len(windows)}d")
    return operator(
        data,
        pool_size=[window.kernel for window in windows],
        strides=[window.stride for window in windows],
        padding=[window.before for window in windows] + [window.covered_after for window in windows],
        dilation=[window.dilation for window in windows],
        count_include_pad=count_include_pad,
    )


def _outer(vectors: Sequence[np.ndarray], dtype: str) -> relax.Expr:
    """The product of what lies along the spatial axes, as a constant ``[1, 1, ...]``."""
    return constant(reduce(np.multiply.outer, vectors)[None, None].astype(dtype))


def _indices_of_largest(node: Node, windows: Sequence[Window]) -> relax.Expr:
    """int64, flat over the whole input, as of the first of equals; column-major in space with ``storage_order``."""
    batch, channels, *lengths = node.shape
    count, space = len(windows), int(np.prod(lengths))
    patches = node.data
    for axis, window in enumerate(windows):
        indices = places(np.clip(window.positions(), 0, window.length - 1))
        patches = node.emit(relax.op.take(patches, indices, axis=2 + 2 * axis))
    order = [0, 1, *range(2, 2 + 2 * count, 2), *range(3, 3 + 2 * count, 2)]
    patches = node.emit(relax.op.permute_dims(patches, order))
    outputs = [window.outputs for window in windows]
    flat = (*outputs, -1)
    patches = node.emit(
        relax.op.reshape(patches, (batch, channels, *outputs, int(np.prod([w.kernel for w in windows]))))
    )
    inside = _inside(windows).reshape(flat)
    if not inside.all():
        lowest = node.scalar(-np.inf if np.dtype(node.dtype).kind == "f" else int(np.iinfo(node.dtype).min))
        patches = node.emit(relax.op.where(constant(inside[None, None]), patches, lowest))
    tap = node.emit(relax.op.argmax(patches, axis=-1))
    table = _positions(windows, bool(node.get("storage_order", 0))).reshape(flat)
    chosen = _chosen(node, table, tap, shape_of(patches)[-1])
    images = np.arange(batch * channels, dtype=np.int64).reshape(batch, channels, *[1] * count) * space
    return relax.op.add(chosen, constant(images))


def _chosen(node: Node, table: np.ndarray, tap: relax.Expr, taps: int) -> relax.Expr:
    """``table[output, tap]`` for every image, where ``table`` is ``[*outputs, taps]``."""
    starts = np.arange(table.size // taps, dtype=np.int64).reshape(table.shape[:-1]) * taps
    index = node.emit(relax.op.add(tap, constant(starts[None, None])))
    return node.emit(relax.op.take(constant(table.reshape(-1)), index, axis=0))


def _grid(windows: Sequence[Window], values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each axis' ``[outputs, kernel]`` laid out so that they broadcast to ``[*outputs, *kernels]``."""
    count = len(windows)
    return [
        value.reshape([n if a in (axis, axis + count) else 1 for a, n in enumerate(_full(windows))])
        for axis, value in enumerate(values)
    ]


def _full(windows: Sequence[Window]) -> list[int]:
    return [*(window.outputs for window in windows), *(window.kernel for window in windows)]


def _inside(windows: Sequence[Window]) -> np.ndarray:
    masks = [(w.positions() >= 0) & (w.positions() < w.length) for w in windows]
    return np.asarray(reduce(np.logical_and, _grid(windows, masks)))


def _positions(windows: Sequence[Window], column_major: bool) -> np.ndarray:
    lengths = [window.length for window in windows]
    order = range(len(lengths)) if column_major else reversed(range(len(lengths)))
    strides, step = [0] * len(lengths), 1
    for axis in order:
        strides[axis], step = step, step * lengths[axis]
    places = [np.clip(w.positions(), 0, w.length - 1) * stride for w, stride in zip(windows, strides, strict=True)]
    return np.asarray(reduce(np.add, _grid(windows, places)), np.int64)


def convert_max_unpool(node: Node) -> relax.Expr:
    """MaxUnpool-9 to 22: every element to the place that its index names, zero elsewhere.

    :raises Unsupported: another output shape than kernel, strides and pads make.
    """
    lengths = node.shape[2:]
    ones = [1] * len(lengths)
    kernel, strides = node.attributes["kernel_shape"], node.get("strides", ones)
    pads = np.array(node.get("pads", [0] * 2 * len(lengths))).reshape(2, -1).sum(axis=0)
    own = [(n - 1) * s + k - p for n, s, k, p in zip(lengths, strides, kernel, pads.tolist(), strict=True)]
    given = node.constant(2)
    sizes = own if given is None else [int(extent) for extent in given[-len(lengths) :]]
    if sizes != own:
        raise Unsupported(
            f"output_shape {sizes} is not {own}: ONNX and ONNX Runtime differ about what indices mean then"
        )
    shape = (*node.shape[:2], *sizes)
    zeros = constant(np.zeros(int(np.prod(shape)), node.dtype))
    indices, values = (node.emit(relax.op.reshape(node.tensor(index), (-1,))) for index in (1, 0))
    return relax.op.reshape(node.emit(relax.op.scatter_elements(zeros, indices, values)), shape)
