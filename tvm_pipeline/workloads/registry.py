"""From a layer to the PrimFunc that computes it."""

from collections.abc import Callable, Mapping
from functools import partial

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.unit import CPU, GPU, Unit
from tvm_pipeline.workloads import (
    bfloat16,
    conv2d,
    dense,
    depthwise,
    grouped_conv2d,
    pooling,
    separable,
    strassen,
    tensor_pointwise,
)
from tvm_pipeline.workloads.int8 import layers as int8
from tvm_pipeline.workloads.int8 import windows as int8_windows
from tvm_pipeline.workloads.workload import DTYPE, Workload

Definition = Callable[[Layer, str], Workload]
"""From a layer and the dtype of its activations and weights to what it computes."""

_ON_ALL: Mapping[str, Definition] = {
    "dense": dense.dense,
    "global_average_pool": pooling.global_average_pool,
}

_BY_TILES: Mapping[str, Callable[..., Workload]] = {
    "pointwise": conv2d.pointwise,
    "conv2d": conv2d.conv2d,
    "grouped_conv2d": grouped_conv2d.grouped_conv2d,
    "narrow_groups": grouped_conv2d.grouped_conv2d,
    "depthwise": depthwise.depthwise,
    "max_pool": pooling.max_pool,
    "average_pool": pooling.average_pool,
}
"""What a CPU computes by tiles of pixels in registers."""

_DEFINITIONS: Mapping[str, Mapping[str, Definition]] = {
    CPU: {
        **_ON_ALL,
        **{kind: partial(define, whole_tiles=True) for kind, define in _BY_TILES.items()},
        "overhanging_pointwise": conv2d.overhanging_pointwise,
        "bfloat16_pointwise": bfloat16.pointwise,
        "bfloat16_conv2d": bfloat16.conv2d,
        "int8_pointwise": int8.pointwise,
        "int8_pointwise_of_signed": int8.pointwise_of_signed,
        "int8_pointwise_of_shorts": int8.pointwise_of_shorts,
        "int8_narrow_pointwise": partial(int8.pointwise, at_once=False),
        "int8_depthwise": int8.depthwise,
        "int8_conv2d": int8.conv2d,
        "int8_dot_depthwise": int8_windows.depthwise,
        "int8_dot_conv2d": int8_windows.conv2d,
        "strassen": strassen.strassen,
        "separable": separable.separable,
    },
    GPU: {
        **_ON_ALL,
        **_BY_TILES,
        "tensor_pointwise": tensor_pointwise.tensor_pointwise,
        "conv2d": partial(conv2d.conv2d, padded=True),
        "depthwise": partial(depthwise.depthwise, padded=True),
        "separable": partial(separable.separable, padded=True),
    },
}
"""By a unit's family and its ``kernel_kind``. On GPUs borders are filled on the way into shared memory."""

OP_PATTERN_OPAQUE = 8
"""Relax's OpPatternKind kOpaque: FuseOps leaves the kernel alone. The epilogue is complete by then, and a broadcast
fused behind it (squeeze-and-excite) would compute the kernel once per pixel."""


def workload_of(layer: Layer, unit: Unit | None = None) -> Workload:
    """The tensor expressions of a layer on a unit; None stands for any CPU's. Arguments have the same shapes on all."""
    if unit is None:
        return _DEFINITIONS[CPU][layer.kind](layer, DTYPE)
    return _DEFINITIONS[unit.family][unit.kernel_kind(layer)](layer, unit.stored)


def build_workload(layer: Layer, unit: Unit | None = None) -> tirx.PrimFunc:
    """The unscheduled kernel of a layer; arguments: data, weight, bias, residual (those that it has), output."""
    return prim_func(workload_of(layer, unit))


def prim_func(workload: Workload) -> tirx.PrimFunc:
    """The unscheduled kernel of tensor expressions."""
    function = te.create_prim_func([*workload.arguments, workload.output])
    return function.with_attr("op_pattern", OP_PATTERN_OPAQUE)
