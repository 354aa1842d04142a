"""Why kernels of a quantised network compute in float32: nothing falls back unnoticed."""

from collections.abc import Callable, Mapping

from tvm import relax

from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.dataflow import Dataflow, operator_name
from tvm_pipeline.passes.integers.layers import bytes_of, convolution_kind, dense_weights, weights_of

NO_DOT_PRODUCT = "the target has no dot products of bytes"
TOO_LARGE = "a bias, or a sum with it, might not fit into an int32"
NO_KERNEL = "no kernel of bytes computes a layer like this"
FLOAT_INPUT = "what it reads is no bytes with one scale"
SIGNED_INPUT = "what it reads is signed"
FLOAT_WEIGHTS = "its weights are no signed bytes about zero with a scale per result"


def is_quantised(flow: Dataflow) -> bool:
    """Whether values, not weights alone, are quantised."""
    return any(operator_name(call) == "relax.quantize" for _, call in flow.bindings if isinstance(call, relax.Call))


def why_float(flow: Dataflow, call: relax.Expr, unit: Unit) -> str:
    """Why what a call of a quantised network is lowered to, if it is a float32 kernel, is none of bytes."""
    if not isinstance(call, relax.Call) or operator_name(call) not in _WEIGHTED:
        return NO_KERNEL
    if not unit.multiplies_bytes:
        return NO_DOT_PRODUCT
    if bytes_of(flow, call.args[0]) is None:
        return _why_no_bytes(flow, call.args[0])
    weight, is_layer = _WEIGHTED[operator_name(call)]
    if weights_of(flow, weight(flow, call)) is None:
        return FLOAT_WEIGHTS
    return TOO_LARGE if is_layer(flow, call) else NO_KERNEL


def _why_no_bytes(flow: Dataflow, value: relax.Expr) -> str:
    source = flow.call(value, "relax.dequantize")
    return SIGNED_INPUT if source is not None and str(source.args[0].ty.dtype) == "int8" else FLOAT_INPUT


def _turned(flow: Dataflow, call: relax.Call) -> relax.Expr:
    turned = flow.call(call.args[1], "relax.permute_dims")
    return call.args[1] if turned is None else turned.args[0]


_WEIGHTED: Mapping[str, tuple[Callable[[Dataflow, relax.Call], relax.Expr], Callable[[Dataflow, relax.Call], bool]]] = {
    "relax.nn.conv2d": (
        lambda flow, call: call.args[1],
        lambda flow, call: convolution_kind(flow, call) is not None,
    ),
    "relax.matmul": (_turned, lambda flow, call: dense_weights(flow, call) is not None),
}
"""Operators with weights: where those are, and whether a kernel of bytes computes such a layer."""
