"""Products of matrices: dense layers on any number of leading axes, and products of two activations."""

from dataclasses import replace
from math import prod

import numpy as np
from tvm import relax, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.passes.dataflow import constant_of, operator_name, scalar_of, shape_of
from tvm_pipeline.passes.epilogue import Epilogue
from tvm_pipeline.passes.lowering.context import Lowering, constants
from tvm_pipeline.passes.lowering.pack import pack_columns
from tvm_pipeline.schedules.registry import multiply
from tvm_pipeline.workloads.product import Product
from tvm_pipeline.workloads.workload import DTYPE

FEWEST_ROWS = 4
"""With fewer, a product is bound by reading its second operand once, as a dense layer is."""


def lower_matmul(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """A dense layer where the second operand is constant, else a product of two activations."""
    left, right = (shape_of(operand) for operand in call.args)
    dtypes = {str(operand.ty.dtype) for operand in call.args}
    if min(len(left), len(right)) < 2 or 0 in (*left, *right) or dtypes != {DTYPE}:
        return False
    weight = constant_of(call.args[1])
    if weight is not None and weight.ndim == 2:
        _lower_dense(lowering, var, call.args[0], weight)
        return True
    return _lower_product(lowering, var, call)


def _lower_dense(lowering: Lowering, var: relax.Var, data: relax.Expr, weight: np.ndarray) -> None:
    """``[..., K] x [K, C]`` with constant weights: all leading axes are rows."""
    epilogue = lowering.match_epilogue(var, np.ascontiguousarray(weight.T))
    (inner, columns), rows = weight.shape, prod(shape_of(var)[:-1])
    product = Product((rows, inner), (inner, columns), packed=True, epilogue=epilogue.names)
    kernel = multiply(product, lowering.unit) if rows >= FEWEST_ROWS else None
    residual = [] if epilogue.residual is None else [lowering.plain_value(epilogue.residual)]
    if kernel is None:
        value = _rows(lowering, data, (rows, inner))
        packed = constants(_layer(product), epilogue.affine, lowering.unit)
        added = [_reshaped(lowering, other, (rows, columns)) for other in residual]
        result = lowering.emit_kernel(_layer(product), [value, *packed, *added])
    else:
        operands = [lowering.plain_value(data), *_weights(epilogue, kernel), *residual]
        result = _emit(lowering, product, kernel, operands)
    lowering.fused.update(epilogue.inside)
    lowering.plain[epilogue.result] = _reshaped(lowering, result, shape_of(epilogue.result))


def _layer(product: Product) -> Layer:
    return Layer("dense", product.rows, 1, 1, product.inner, product.columns, epilogue=product.epilogue)


def _weights(epilogue: Epilogue, kernel: tirx.PrimFunc) -> list[relax.Expr]:
    """The packed weights, and the bias if there is one."""
    packed = pack_columns(epilogue.affine.weight, _shapes(kernel)[1][-1])
    bias = [] if epilogue.affine.bias is None else [relax.const(epilogue.affine.bias)]
    return [relax.const(packed), *bias]


def _lower_product(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """``[..., M, K] x [..., K, N]``; a transposition of the second operand, and a scale, are part of the kernel."""
    left, right = call.args
    source = _transposed(lowering, right)
    product = Product(shape_of(left), shape_of(right), transposed=source is not None)
    if set(product.right[:-2]) <= {1}:  # one matrix for all: their rows are as well one matrix's
        rows = prod(product.left[:-1])
        product = Product((rows, product.inner), product.right[-2:], transposed=source is not None)
    if product.rows < FEWEST_ROWS:
        return False
    result, scale, inside = _scaled(lowering, var)
    product = replace(product, scale=scale)
    kernel = multiply(product, lowering.unit)
    if kernel is None:
        return False
    operands = [lowering.plain_value(left), lowering.plain_value(right if source is None else source)]
    value = _emit(lowering, product, kernel, operands)
    lowering.fused.update(inside)
    lowering.plain[result] = _reshaped(lowering, value, shape_of(result))
    return True


def _transposed(lowering: Lowering, operand: relax.Expr) -> relax.Expr | None:
    """What ``operand`` is with its last two axes exchanged, where that is all that makes it."""
    call = lowering.flow.call(operand, "relax.permute_dims") if isinstance(operand, relax.Var) else None
    if call is None:
        return None
    rank = len(shape_of(operand))
    axes = [int(axis) for axis in call.attrs.axes] if call.attrs.axes is not None else list(range(rank))[::-1]
    return call.args[0] if axes == [*range(rank - 2), rank - 1, rank - 2] else None


def _scaled(lowering: Lowering, var: relax.Var) -> tuple[relax.Var, float, tuple[relax.Var, ...]]:
    """The product's last variable, by what number it is multiplied, and the variables before."""
    user = lowering.flow.only_user(var)
    value = lowering.flow.producer[user] if user is not None else None
    if not isinstance(value, relax.Call) or operator_name(value) not in ("relax.multiply", "relax.divide"):
        return var, 1.0, ()
    is_left = value.args[0].same_as(var)
    number = scalar_of(value.args[1 if is_left else 0])
    is_quotient = operator_name(value) == "relax.divide"
    if number is None or (is_quotient and not (is_left and number)) or shape_of(user) != shape_of(var):
        return var, 1.0, ()
    return user, 1 / number if is_quotient else number, (var,)


def _rows(lowering: Lowering, data: relax.Expr, shape: tuple[int, ...]) -> relax.Expr:
    """``[..., K]`` as ``[M, K]`` in the unit's dtype."""
    if isinstance(data, relax.Var) and data in lowering.flat:
        return lowering.cast(lowering.flat[data], lowering.stored)
    return _reshaped(lowering, lowering.cast(lowering.plain_value(data), lowering.stored), shape)


def _reshaped(lowering: Lowering, value: relax.Expr, shape: tuple[int, ...]) -> relax.Expr:
    return value if shape_of(value) == shape else lowering.builder.emit(relax.op.reshape(value, shape))


def _shapes(kernel: tirx.PrimFunc) -> list[tuple[int, ...]]:
    """Of a kernel's arguments, the result last."""
    return [tuple(int(extent) for extent in parameter.shape) for parameter in kernel.params]


def _emit(lowering: Lowering, product: Product, kernel: tirx.PrimFunc, operands: list[relax.Expr]) -> relax.Var:
    """Calls a written kernel, with the operands in the shapes that it wants."""
    *shapes, output = _shapes(kernel)
    shaped = [_reshaped(lowering, operand, shape) for operand, shape in zip(operands, shapes, strict=True)]
    function = lowering.builder.add_func(kernel.without_attr("global_symbol"), product.name)
    return lowering.builder.emit(relax.call_tir(function, shaped, relax.TensorType(output, DTYPE)))
