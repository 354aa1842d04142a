"""Brings Relax's kernels, which index with int64, to the int32 of ours: kernels of both kinds cannot be fused."""

import tvm
from tvm import tirx
from tvm.tirx.transform import ForceNarrowIndexToInt32

from tvm_pipeline.workloads.registry import OP_PATTERN_OPAQUE


def narrow_indices(module: tvm.IRModule) -> tvm.IRModule:
    """Narrows every kernel; one that computes with int64 tensors (an ArgMax, say) stays as it is and apart."""
    functions = {
        variable: _narrow(function) if isinstance(function, tirx.PrimFunc) else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def _narrow(function: tirx.PrimFunc) -> tirx.PrimFunc:
    try:
        return ForceNarrowIndexToInt32()(tvm.IRModule({"main": function}))["main"]
    except tvm.error.InternalError:  # an int64 buffer: the pass has no other way to say so
        return function.with_attr("op_pattern", OP_PATTERN_OPAQUE)
