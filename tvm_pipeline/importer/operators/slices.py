"""Slice."""

import numpy as np
from tvm import ir, relax

from tvm_pipeline.importer.operators.node import Node, normal_axes, places

_LARGEST = (np.iinfo(np.int64).max, np.iinfo(np.int32).max)


def _chosen(start: int, end: int, step: int, length: int) -> range:
    stop = None if step < 0 and end in _LARGEST else end
    return range(*slice(start, stop, step).indices(length))


def convert_slice(node: Node) -> relax.Expr:
    """Slice-10 and 13, by Python's rules for a slice; backwards by a table.

    Backwards up to the largest integer means to the first element, as for ONNX Runtime.
    """
    if isinstance(node.inputs[0], relax.ShapeExpr | ir.GenericConst):
        return node.upstream()
    starts, ends, axes, steps = (node.constant(index) for index in (1, 2, 3, 4))
    assert starts is not None and ends is not None
    numbers = normal_axes(range(len(starts)) if axes is None else axes.tolist(), len(node.shape))
    strides = [1] * len(starts) if steps is None else steps.tolist()
    parts = [
        (number, _chosen(start, end, stride, node.shape[number]))
        for number, start, end, stride in zip(numbers, starts.tolist(), ends.tolist(), strides, strict=True)
    ]
    result = node.data
    for number, part in parts:
        if part.step < 0 and len(part):
            result = node.emit(relax.op.take(result, places(np.array(part)), axis=number))
    forward = [(number, part) for number, part in parts if part.step > 0 or not len(part)]
    if not forward:
        return result
    bounds = [(part.start, max(part.start, part.stop), part.step) if len(part) else (0, 0, 1) for _, part in forward]
    begins, stops, strides = (list(values) for values in zip(*bounds, strict=True))
    return relax.op.strided_slice(result, [number for number, _ in forward], begins, stops, strides)
