"""From a layer to the PrimFunc that computes it."""

from collections.abc import Callable

from tvm import te, tirx

from tvm_pipeline.layer import Layer
from tvm_pipeline.workloads import conv2d, dense, depthwise, pooling, separable, strassen
from tvm_pipeline.workloads.workload import Workload

_DEFINITIONS: dict[str, Callable[[Layer], Workload]] = {
    "conv2d": conv2d.conv2d,
    "pointwise": conv2d.pointwise,
    "strassen": strassen.strassen,
    "depthwise": depthwise.depthwise,
    "separable": separable.separable,
    "dense": dense.dense,
    "global_average_pool": pooling.global_average_pool,
    "max_pool": pooling.max_pool,
    "average_pool": pooling.average_pool,
}

OP_PATTERN_OPAQUE = 8
"""Relax's OpPatternKind kOpaque: FuseOps leaves the kernel alone. The epilogue is complete by then, and a broadcast
fused behind it (squeeze-and-excite) would compute the kernel once per pixel."""


def workload_of(layer: Layer) -> Workload:
    """The tensor expressions of a layer."""
    return _DEFINITIONS[layer.kind](layer)


def build_workload(layer: Layer) -> tirx.PrimFunc:
    """The unscheduled kernel of a layer; arguments: data, weight, bias, residual (those that it has), output."""
    workload = workload_of(layer)
    function = te.create_prim_func([*workload.arguments, workload.output])
    return function.with_attr("op_pattern", OP_PATTERN_OPAQUE)
