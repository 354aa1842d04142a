"""MaxPool, GlobalMaxPool, AveragePool, LpPool and GlobalLpPool."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, constant
from tvm_pipeline.importer.operators.pool_indices import indices_of_largest
from tvm_pipeline.importer.operators.windows import Window, windows_of


def convert_max_pool(node: Node) -> relax.Expr:
    """MaxPool-1 to 22; the indices are computed apart, and dropped later where nothing reads them."""
    windows = windows_of(node)
    largest = node.emit(_pool(node, "max_pool", node.data, windows))
    if node.results == 1:
        return largest
    return relax.Tuple([largest, indices_of_largest(node, windows)])


def convert_global_max_pool(node: Node) -> relax.Expr:
    """As a window of the image's size: of several NaN the last pixel's counts, as with MaxPool."""
    sizes = node.shape[2:]
    if not 1 <= len(sizes) <= 3:
        return relax.op.max(node.data, list(range(2, len(node.shape))), keepdims=True)
    return _pool(node, "max_pool", node.data, [Window(size, size, 1, 1, 0, 0, 1) for size in sizes])


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
