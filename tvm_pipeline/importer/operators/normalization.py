"""LayerNormalization, RMSNormalization and LpNormalization."""

from tvm import relax

from tvm_pipeline.importer.operators.node import Node, Unsupported, cast
from tvm_pipeline.passes.dataflow import shape_of


def convert_layer_normalization(node: Node) -> relax.Expr:
    """LayerNormalization-17: the result and, where they are asked for, mean and the deviation's reciprocal."""
    axes = _last_axes(node)
    data = node.emit(cast(node.data, "float32"))
    if node.results == 1 and node.dtype == "float32" and shape_of(node.tensor(1)) == node.shape[axes[0] :]:
        shift = node.tensor(2) if node.has(2) else node.emit(relax.op.zeros_like(node.tensor(1)))
        return relax.op.nn.layer_norm(data, node.tensor(1), shift, axes, _epsilon(node))
    mean = node.emit(relax.op.mean(data, axes, keepdims=True))
    centred = node.emit(relax.op.subtract(data, mean))
    scale = _reciprocal_root(node, centred, axes)
    normal = node.emit(cast(node.emit(relax.op.multiply(centred, scale)), node.dtype))
    result = node.emit(relax.op.multiply(normal, node.tensor(1)))
    if node.has(2):
        result = node.emit(relax.op.add(result, node.tensor(2)))
    return result if node.results == 1 else relax.Tuple([result, mean, scale])


def convert_rms_normalization(node: Node) -> relax.Expr:
    """RMSNormalization-23."""
    axes = _last_axes(node)
    data = node.emit(cast(node.data, "float32"))
    if node.dtype == "float32" and axes[0] > 0 and shape_of(node.tensor(1)) == node.shape[axes[0] :]:
        return relax.op.nn.rms_norm(data, node.tensor(1), axes, _epsilon(node))
    normal = node.emit(relax.op.multiply(data, _reciprocal_root(node, data, axes)))
    return relax.op.multiply(node.emit(cast(normal, node.dtype)), node.tensor(1))


def convert_lp_normalization(node: Node) -> relax.Expr:
    """LpNormalization-22; what has no length stays zero.

    :raises Unsupported: another norm than the first and the second.
    """
    p, axis = int(node.get("p", 2)), int(node.get("axis", -1))
    if p not in (1, 2):
        raise Unsupported(f"p = {p}: it is 1 or 2")
    powers = node.emit(relax.op.abs(node.data) if p == 1 else relax.op.multiply(node.data, node.data))
    length = node.emit(relax.op.sum(powers, axis, keepdims=True))
    length = length if p == 1 else node.emit(relax.op.sqrt(length))
    is_zero = node.emit(relax.op.equal(length, node.scalar(0.0)))
    return relax.op.divide(node.data, node.emit(relax.op.where(is_zero, node.scalar(1.0), length)))


def _last_axes(node: Node) -> list[int]:
    rank = len(node.shape)
    return list(range(int(node.get("axis", -1)) % rank, rank))


def _epsilon(node: Node) -> float:
    return float(node.get("epsilon", 1e-5))


def _reciprocal_root(node: Node, values: relax.Expr, axes: list[int]) -> relax.Expr:
    """``1 / sqrt(mean(values ** 2) + epsilon)``."""
    square = node.emit(relax.op.mean(node.emit(relax.op.multiply(values, values)), axes, keepdims=True))
    return node.emit(relax.op.rsqrt(node.emit(relax.op.add(square, relax.const(_epsilon(node), "float32")))))
