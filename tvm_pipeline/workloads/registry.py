"""From a layer to the PrimFunc that computes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tvm import te, tirx

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.hardware.gpu import GpuUnit
from tvm_pipeline.workloads import conv2d, dense, depthwise, pooling, separable, strassen, tensor_pointwise
from tvm_pipeline.workloads.workload import Workload

if TYPE_CHECKING:
    from tvm_pipeline.schedules.generator import Unit

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


def _gpu_pointwise(layer: Layer, dtype: str) -> Workload:
    if tensor_pointwise.fits_tensor_cores(layer, dtype):
        return tensor_pointwise.tensor_pointwise(layer)
    return conv2d.pointwise(layer, dtype)


_GPU_DEFINITIONS: dict[str, Callable[[Layer, str], Workload]] = {
    "conv2d": lambda layer, dtype: conv2d.conv2d(layer, dtype, padded=True),
    "pointwise": _gpu_pointwise,
    "depthwise": depthwise.padded_depthwise,
    "separable": separable.padded_separable,
    "dense": dense.dense,
    "global_average_pool": pooling.global_average_pool,
    "max_pool": pooling.max_pool,
    "average_pool": pooling.average_pool,
}
"""On GPUs borders are filled on the way into shared memory, and a unit has a dtype."""

OP_PATTERN_OPAQUE = 8
"""Relax's OpPatternKind kOpaque: FuseOps leaves the kernel alone. The epilogue is complete by then, and a broadcast
fused behind it (squeeze-and-excite) would compute the kernel once per pixel."""


def workload_of(layer: Layer, unit: Unit | None = None) -> Workload:
    """The tensor expressions of a layer on a unit; None stands for any CPU's. Arguments have the same shapes on all."""
    if isinstance(unit, GpuUnit):
        return _GPU_DEFINITIONS[layer.kind](layer, unit.dtype)
    return _DEFINITIONS[layer.kind](layer)


def build_workload(layer: Layer, unit: Unit | None = None) -> tirx.PrimFunc:
    """The unscheduled kernel of a layer; arguments: data, weight, bias, residual (those that it has), output."""
    workload = workload_of(layer, unit)
    function = te.create_prim_func([*workload.arguments, workload.output])
    return function.with_attr("op_pattern", OP_PATTERN_OPAQUE)
