"""How each Relax operator becomes a kernel or an operation on blocked activations."""

from collections.abc import Callable, Mapping

from tvm import relax

from tvm_pipeline.passes.lowering.between import lower_between
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.passes.lowering.convolutions import lower_conv2d
from tvm_pipeline.passes.lowering.elementwise import (
    lower_binary,
    lower_concat,
    lower_reshape,
    lower_unary,
    lower_unary_of_whole_blocks,
)
from tvm_pipeline.passes.lowering.integers import (
    lower_convolution_of_bytes,
    lower_dense_of_bytes,
    lower_dequantize,
    lower_quantize,
)
from tvm_pipeline.passes.lowering.matmul import lower_matmul
from tvm_pipeline.passes.lowering.normalisation import lower_group_norm, lower_layer_norm, lower_quotient
from tvm_pipeline.passes.lowering.pooling import lower_mean, lower_pool
from tvm_pipeline.passes.lowering.sampling import lower_take
from tvm_pipeline.passes.lowering.softmax import lower_softmax
from tvm_pipeline.passes.lowering.transposed import lower_conv2d_transpose

UNARY = (
    "relax.nn.relu",
    "relax.clip",
    "relax.sigmoid",
    "relax.tanh",
    "relax.exp",
    "relax.erf",
    "relax.abs",
    "relax.negative",
    "relax.square",
    "relax.nn.silu",
    "relax.nn.gelu",
    "relax.nn.gelu_tanh",
    "relax.nn.leakyrelu",
)
NOT_OF_FILLINGS = ("relax.log", "relax.rsqrt", "relax.sqrt")
BINARY = ("relax.add", "relax.subtract", "relax.multiply", "relax.divide", "relax.maximum", "relax.minimum")

Handler = Callable[[Lowering, relax.Var, relax.Call], bool]
"""Lowers one call; False where it does not apply and the call is to be kept as it is."""


def lower_divide(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """The end of a normalisation, or a quotient."""
    return lower_quotient(lowering, var, call) or lower_binary(lowering, var, call)


def lower_convolution(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Of bytes where they are, else of float32."""
    return lower_convolution_of_bytes(lowering, var, call) or lower_conv2d(lowering, var, call)


def lower_product(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Of bytes where they are, else of float32."""
    return lower_dense_of_bytes(lowering, var, call) or lower_matmul(lowering, var, call)


def lower_bytes(lowering: Lowering, var: relax.Var, call: relax.Call) -> bool:
    """Bytes of bytes where a kernel of whole numbers makes them, else of float32."""
    return lower_between(lowering, var, call) or lower_quantize(lowering, var, call)


HANDLERS: Mapping[str, Handler] = {
    "relax.nn.conv2d": lower_convolution,
    "relax.nn.conv2d_transpose": lower_conv2d_transpose,
    "relax.matmul": lower_product,
    "relax.quantize": lower_bytes,
    "relax.dequantize": lower_dequantize,
    "relax.mean": lower_mean,
    "relax.nn.max_pool2d": lower_pool,
    "relax.nn.avg_pool2d": lower_pool,
    "relax.concat": lower_concat,
    "relax.take": lower_take,
    "relax.reshape": lower_reshape,
    "relax.squeeze": lower_reshape,
    **dict.fromkeys(UNARY, lower_unary),
    **dict.fromkeys(NOT_OF_FILLINGS, lower_unary_of_whole_blocks),
    **dict.fromkeys(BINARY, lower_binary),
    "relax.divide": lower_divide,
    "relax.nn.softmax": lower_softmax,
    "relax.nn.log_softmax": lower_softmax,
    "relax.nn.layer_norm": lower_layer_norm,
    "relax.nn.rms_norm": lower_layer_norm,
    "relax.nn.group_norm": lower_group_norm,
}
