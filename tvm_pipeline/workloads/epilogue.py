"""What is computed on a kernel's result before it is stored."""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from tvm import ir, te, tirx

from tvm_pipeline.hardware.stored import BITS
from tvm_pipeline.intrinsics.bfloat16 import rounded, widened
from tvm_pipeline.intrinsics.extremes import at_least, at_most
from tvm_pipeline.workloads.workload import DTYPE

Expression: TypeAlias = ir.Expr


def _constant(value: float) -> Expression:
    return tirx.const(value, DTYPE)


def clip(value: Expression, low: float, high: float) -> Expression:
    return at_most(at_least(value, _constant(low)), _constant(high))


def hard_sigmoid(value: Expression) -> Expression:
    """ONNX HardSigmoid with alpha 1/6 and beta 1/2: the one of MobileNetV3 (arXiv 1905.02244, section 5.2)."""
    return clip(value * _constant(1 / 6) + _constant(0.5), 0.0, 1.0)


def gelu(value: Expression) -> Expression:
    """``x P(X <= x)`` of a standard normal X (arXiv 1606.08415)."""
    half = value * _constant(0.5)
    return half + half * tirx.erf(value * _constant(math.sqrt(0.5)))


def gelu_tanh(value: Expression) -> Expression:
    """The same by tanh (arXiv 1606.08415, section 2): ``(1 + tanh(u)) / 2`` is the sigmoid of 2 u."""
    slope = 2 * math.sqrt(2 / math.pi)
    return value * tirx.sigmoid(value * (_constant(slope) + _constant(slope * 0.044715) * value * value))


def softplus(value: Expression) -> Expression:
    """``log(1 + exp(x))``."""
    return at_least(value, _constant(0.0)) + tirx.log(_constant(1.0) + tirx.exp(_constant(0.0) - tirx.abs(value)))


def mish(value: Expression) -> Expression:
    """``x tanh(softplus(x))`` (arXiv 1908.08681): with ``w = exp(x)`` the tanh is ``w (w + 2) / (w (w + 2) + 2)``."""
    power = tirx.exp(at_most(value, _constant(_MISH_IS_LINEAR)))
    product = power * (power + _constant(2.0))
    return value * (product / (product + _constant(2.0)))


_MISH_IS_LINEAR = 20.0
"""From there on its tanh is 1, to the last place of float32."""

ACTIVATIONS: dict[str, Callable[[Expression], Expression]] = {
    "relu": lambda value: at_least(value, _constant(0.0)),
    "relu6": lambda value: clip(value, 0.0, 6.0),
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": lambda value: value * hard_sigmoid(value),
    "sigmoid": tirx.sigmoid,
    "silu": lambda value: value * tirx.sigmoid(value),
    "tanh": tirx.tanh,
    "exp": tirx.exp,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "softplus": softplus,
    "mish": mish,
}


def is_bfloat16(value: Expression) -> bool:
    """Whether an element, of a tensor or computed, is the bits of a bfloat16."""
    return str(value.dtype if isinstance(value, te.tensor.TensorSlice) else value.ty.dtype) == BITS


def wide(value: Expression) -> Expression:
    """The value as sums are made: float32, of the bits of a bfloat16 too."""
    if is_bfloat16(value):
        return widened(value)
    return value.astype(DTYPE)  # TVM makes nothing of a cast to the same type


def narrow(value: Expression, dtype: str) -> Expression:
    """A float32 as it is stored."""
    return rounded(value) if dtype == BITS else value.astype(dtype)


def apply_epilogue(
    names: Sequence[str],
    result: te.Tensor,
    bias_index: Callable[..., tuple[Expression, ...]],
    dtype: str = DTYPE,
) -> tuple[list[te.Tensor], te.Tensor]:
    """Appends an epilogue, the operations ``names``, to ``result``, which is float32; what is stored is a ``dtype``.

    ``bias_index`` maps the output's indices to the bias tensor's. Returns the arguments that it adds and the output.
    """
    arguments: list[te.Tensor] = []
    value = result
    for name in names:
        value = _stage(name, value, arguments, bias_index, dtype)
    return arguments, narrowed(value, dtype)


def narrowed(value: te.Tensor, dtype: str) -> te.Tensor:
    """The tensor as a ``dtype``; itself where it is one."""
    if value.dtype == dtype:
        return value
    return te.compute(value.shape, lambda *index: narrow(value(*index), dtype), name="narrowed")


def _stage(
    name: str,
    value: te.Tensor,
    arguments: list[te.Tensor],
    bias_index: Callable[..., tuple[Expression, ...]],
    dtype: str,
) -> te.Tensor:
    if name == "bias":
        bias = te.placeholder(_bias_shape(value), value.dtype, name="bias")
        arguments.append(bias)
        return te.compute(value.shape, lambda *index: value(*index) + bias(*bias_index(*index)), name="add_bias")
    if name == "add":
        residual = te.placeholder(value.shape, dtype, name="residual")
        arguments.append(residual)
        return te.compute(value.shape, lambda *index: value(*index) + wide(residual(*index)), name="add_residual")
    return te.compute(value.shape, lambda *index: ACTIVATIONS[name](value(*index)), name=name)


def _bias_shape(value: te.Tensor) -> tuple[int, ...]:
    """``[C/b, b]`` for a blocked result ``[N, C/b, ..., b]``, ``[C]`` for a dense one ``[N, C]``."""
    shape = [int(extent) for extent in value.shape]
    return (shape[1], shape[-1]) if len(shape) > 2 else (shape[1],)
