"""Elements chosen by what is known at compile time: Slice, OneHot, Compress, ReverseSequence, TensorScatter."""

import numpy as np
from tvm import ir, relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, cast, constant, dtype_of, normal_axes, places
from tvm_pipeline.passes.dataflow import constant_of, shape_of

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


def convert_one_hot(node: Node) -> relax.Expr:
    """OneHot-9 and 11; an index that is out of range has no element."""
    depth = node.constant(1)
    assert depth is not None
    extent, axis = int(depth.reshape(())), int(node.get("axis", -1))
    indices = node.emit(cast(node.data, "int64"))
    is_negative = node.emit(relax.op.less(indices, relax.const(0, "int64")))
    wrapped = node.emit(relax.op.add(indices, relax.const(extent, "int64")))
    indices = node.emit(relax.op.where(is_negative, wrapped, indices))
    place = axis % (len(node.shape) + 1)
    classes = np.arange(extent).reshape([-1 if number == place else 1 for number in range(len(node.shape) + 1)])
    hot = node.emit(relax.op.equal(node.emit(relax.op.expand_dims(indices, place)), constant(classes)))
    off, on = (_element(node, node.tensor(2), index) for index in (0, 1))
    return relax.op.where(hot, on, off)


def _element(node: Node, values: relax.Expr, index: int) -> relax.Expr:
    """One element of a tensor of rank 1, as a tensor of rank 0."""
    known = constant_of(values)
    if known is not None:
        return relax.const(known.reshape(-1)[index], dtype_of(values))
    taken = node.emit(relax.op.strided_slice(values, [0], [index], [index + 1]))
    return node.emit(relax.op.reshape(taken, ()))


def convert_compress(node: Node) -> relax.Expr:
    """Compress-9 and 11.

    :raises Unsupported: the condition is computed at run time: so would the result's shape be.
    """
    condition, axis = node.constant(1), node.attributes.get("axis")
    assert condition is not None
    data = node.data if axis is not None else node.emit(relax.op.reshape(node.data, (-1,)))
    return relax.op.take(data, places(np.flatnonzero(condition)), axis=0 if axis is None else int(axis))


def convert_reverse_sequence(node: Node) -> relax.Expr:
    """ReverseSequence-10: the first elements of each batch's sequence backwards."""
    lengths, shape = node.constant(1), node.shape
    assert lengths is not None
    time, batch = int(node.get("time_axis", 0)), int(node.get("batch_axis", 1))
    steps = np.arange(shape[time])[:, None]
    table = np.where(steps < lengths, lengths - 1 - steps, steps)
    flat = table * shape[batch] + np.arange(shape[batch]) if time == 0 else (np.arange(shape[0]) * shape[1] + table).T
    rows = node.emit(relax.op.reshape(node.data, (shape[0] * shape[1], -1)))
    return relax.op.reshape(node.emit(relax.op.take(rows, places(flat.reshape(-1)), axis=0)), shape)


def convert_tensor_scatter(node: Node) -> relax.Expr:
    """TensorScatter-24: an update written into each batch's cache from a position on."""
    shape, axis = node.shape, int(node.get("axis", -2)) % len(node.shape)
    steps, given = shape_of(node.tensor(1))[axis], node.constant(2)
    starts = np.zeros(shape[0], np.int64) if given is None else given
    slots = starts[:, None] + np.arange(steps)
    slots = slots % shape[axis] if node.get("mode", "linear") == "circular" else slots
    if slots.max(initial=0) >= shape[axis]:
        raise Unsupported(f"an update of {steps} from {starts.max()} on does not fit into {shape[axis]}")
    both = node.emit(relax.op.concat([node.data, node.tensor(1)], axis=axis))
    table = np.tile(np.arange(shape[axis]), (shape[0], 1))
    np.put_along_axis(table, slots, np.arange(shape[axis], shape[axis] + steps)[None], axis=1)
    batches = [
        node.emit(relax.op.take(node.emit(_batch(both, index)), places(row), axis=axis))
        for index, row in enumerate(table)
    ]
    return relax.op.concat(batches, axis=0)


def _batch(value: relax.Expr, index: int) -> relax.Expr:
    return relax.op.strided_slice(value, [0], [index], [index + 1])
