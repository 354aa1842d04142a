"""Pow, MatMul and Mod of operands whose dtypes differ, or that are no integers; PRelu and others by element."""

import numpy as np
from onnx import helper
from tvm import relax, te, tirx

from tvm_pipeline.importer.operators.node import Node, Unsupported, cast, dtype_of
from tvm_pipeline.passes.dataflow import shape_of


def convert_pow(node: Node) -> relax.Expr:
    """Pow-7 to 15: the result has the base's dtype, whatever the exponent's."""
    exponent = node.tensor(1)
    if dtype_of(exponent) == node.dtype:
        return node.upstream()
    kind = node.dtype if np.dtype(node.dtype).kind == "f" else str(np.result_type(node.dtype, dtype_of(exponent)))
    base, exponent = (node.emit(cast(value, kind)) for value in (node.data, exponent))
    return cast(node.emit(relax.op.power(base, exponent)), node.dtype)


def convert_matmul(node: Node) -> relax.Expr:
    """MatMul-1 to 13; operands of two dtypes are brought to the wider one."""
    kind = str(np.result_type(node.dtype, dtype_of(node.tensor(1))))
    return node.upstream(inputs=[cast(node.data, kind), cast(node.tensor(1), kind)])


def convert_mod(node: Node) -> relax.Expr:
    """Mod-10 to 13: the divisor's sign, or the dividend's with ``fmod``."""
    if np.dtype(node.dtype).kind != "f" or node.get("fmod", 0):
        return node.upstream()
    divisor, zero = node.tensor(1), node.scalar(0.0)
    rest = node.emit(relax.op.mod(node.data, divisor))
    is_off = node.emit(relax.op.less(node.emit(relax.op.multiply(rest, node.emit(relax.op.sign(divisor)))), zero))
    return relax.op.where(is_off, node.emit(relax.op.add(rest, divisor)), rest)


def convert_prelu(node: Node) -> relax.Expr:
    """PRelu-1 to 16: until 7 a slope of rank 1 lies along the channels."""
    slope = node.tensor(1)
    if node.opset >= 7 or len(shape_of(slope)) != 1 or len(node.shape) < 3:
        return node.upstream()
    channels = node.emit(relax.op.reshape(slope, (-1, *[1] * (len(node.shape) - 2))))
    return node.upstream(inputs=[node.data, channels])


def convert_thresholded_relu(node: Node) -> relax.Expr:
    """ThresholdedRelu-10: zero for NaN, too."""
    is_above = node.emit(relax.op.greater(node.data, node.scalar(float(node.get("alpha", 1.0)))))
    return relax.op.where(is_above, node.data, node.scalar(0.0))


def convert_celu(node: Node) -> relax.Expr:
    """Celu-12, arXiv 1704.07483; of a scalar, too, which TVM's makes a vector of."""
    alpha = node.scalar(float(node.get("alpha", 1.0)))
    power = node.emit(relax.op.exp(node.emit(relax.op.divide(node.data, alpha))))
    below = node.emit(relax.op.multiply(node.emit(relax.op.subtract(power, node.scalar(1.0))), alpha))
    return relax.op.where(node.emit(relax.op.greater(node.data, node.scalar(0.0))), node.data, below)


def convert_equal(node: Node) -> relax.Expr:
    """Equal-7 to 19: TVM compares truth values as floating-point numbers, which LLVM refuses."""
    if node.dtype != "bool":
        return node.upstream()
    return relax.op.logical_not(node.emit(relax.op.logical_xor(node.data, node.tensor(1))))


def convert_is_inf(node: Node) -> relax.Expr:
    """IsInf-10 to 20: of one sign, or of both."""
    negative, positive = bool(node.get("detect_negative", 1)), bool(node.get("detect_positive", 1))
    if negative and positive:
        return relax.op.isinf(node.data)
    if not (negative or positive):
        return relax.op.zeros(relax.ShapeExpr(node.shape), "bool")
    return relax.op.equal(node.data, node.scalar(float("inf") if positive else -float("inf")))


def convert_bit_cast(node: Node) -> relax.Expr:
    """BitCast-26.

    :raises Unsupported: to a dtype of another size.
    """
    kind = helper.tensor_dtype_to_np_dtype(node.attributes["to"])
    if kind.itemsize != np.dtype(node.dtype).itemsize:
        raise Unsupported(f"from {node.dtype} to {kind}: they are to have the same size")

    def bits(data: te.Tensor) -> te.Tensor:
        return te.compute(data.shape, lambda *at: tirx.reinterpret(str(kind), data(*at)), "bits")

    return node.compute(bits, node.data)
