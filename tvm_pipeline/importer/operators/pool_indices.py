"""Which element of each window is the largest: MaxPool's second result, and MaxUnpool, which reads it."""

from collections.abc import Sequence
from functools import reduce
from math import prod

import numpy as np
from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, constant, places
from tvm_pipeline.importer.operators.windows import Window


def indices_of_largest(node: Node, windows: Sequence[Window]) -> relax.Expr:
    """int64, flat over the whole input, as of the first of equals; column-major in space with ``storage_order``."""
    batch, channels, *lengths = node.shape
    tap = node.emit(relax.op.argmax(_patches(node, windows), axis=-1))
    table = _positions(windows, bool(node.get("storage_order", 0))).reshape(*_outputs(windows), -1)
    chosen = _chosen(node, table, tap)
    images = np.arange(batch * channels, dtype=np.int64).reshape(batch, channels, *[1] * len(lengths))
    return relax.op.add(chosen, constant(images * prod(lengths)))


def _patches(node: Node, windows: Sequence[Window]) -> relax.Expr:
    """``[N, C, *outputs, taps]``; what lies in the padding is the lowest value there is."""
    count, patches = len(windows), node.data
    for axis, window in enumerate(windows):
        indices = places(np.clip(window.positions(), 0, window.length - 1))
        patches = node.emit(relax.op.take(patches, indices, axis=2 + 2 * axis))
    order = [0, 1, *range(2, 2 + 2 * count, 2), *range(3, 3 + 2 * count, 2)]
    patches = node.emit(relax.op.permute_dims(patches, order))
    taps = prod(window.kernel for window in windows)
    patches = node.emit(relax.op.reshape(patches, (*node.shape[:2], *_outputs(windows), taps)))
    inside = _inside(windows).reshape(1, 1, *_outputs(windows), taps)
    if inside.all():
        return patches
    lowest = -np.inf if np.dtype(node.dtype).kind == "f" else int(np.iinfo(node.dtype).min)
    return node.emit(relax.op.where(constant(inside), patches, node.scalar(lowest)))


def _outputs(windows: Sequence[Window]) -> list[int]:
    return [window.outputs for window in windows]


def _chosen(node: Node, table: np.ndarray, tap: relax.Expr) -> relax.Expr:
    """``table[output, tap]`` for every image, where ``table`` is ``[*outputs, taps]``."""
    starts = np.arange(0, table.size, table.shape[-1], dtype=np.int64).reshape(table.shape[:-1])
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
    return [*_outputs(windows), *(window.kernel for window in windows)]


def _inside(windows: Sequence[Window]) -> np.ndarray:
    masks = [(w.positions() >= 0) & (w.positions() < w.length) for w in windows]
    return np.asarray(reduce(np.logical_and, _grid(windows, masks)))


def _positions(windows: Sequence[Window], column_major: bool) -> np.ndarray:
    lengths = [window.length for window in windows]
    order = range(len(lengths)) if column_major else reversed(range(len(lengths)))
    strides, step = [0] * len(lengths), 1
    for axis in order:
        strides[axis], step = step, step * lengths[axis]
    steps = [np.clip(w.positions(), 0, w.length - 1) * stride for w, stride in zip(windows, strides, strict=True)]
    return np.asarray(reduce(np.add, _grid(windows, steps)), np.int64)


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
