"""From an imported Relax module to kernels that only want a schedule."""

import tvm
from tvm import relax, tirx
from tvm.tirx.transform import ForceNarrowIndexToInt32

from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.blocked_layout import blocked_layout
from tvm_pipeline.passes.empty_tensors import remove_empty_tensors
from tvm_pipeline.passes.fold_constants import fold_constants
from tvm_pipeline.passes.leading_axes import keep_leading_axes
from tvm_pipeline.passes.limits import LIMITS
from tvm_pipeline.passes.one_row import one_row
from tvm_pipeline.passes.reduction_identity import start_at_infinity
from tvm_pipeline.workloads.registry import OP_PATTERN_OPAQUE


def simplify(module: tvm.IRModule) -> tvm.IRModule:
    """Spells BatchNorm out, folds constants, and drops what would hide a value or look like another user of it."""
    module = relax.transform.DecomposeOpsForInference()(module)
    module = remove_empty_tensors(relax.transform.CanonicalizeBindings()(module))
    return one_row(keep_leading_axes(fold_constants(module)))


def lower(module: tvm.IRModule, unit: Unit) -> tvm.IRModule:
    """Simplifies, blocks the layout, legalises what is left and fuses elementwise operators into their producers.

    ``unit`` decides which kernels pay.
    """
    module = blocked_layout(simplify(module), unit)
    module = start_at_infinity(_narrow_indices(relax.transform.LegalizeOps(dict(LIMITS))(module)))
    return tvm.transform.Sequential(
        [
            relax.transform.AnnotateTIROpPattern(),
            relax.transform.FuseOps(),
            relax.transform.FuseTIR(),
            relax.transform.DeadCodeElimination(),
        ]
    )(module)


def _narrow_indices(module: tvm.IRModule) -> tvm.IRModule:
    """Brings Relax's kernels, which index with int64, to the int32 of ours: kernels of both kinds cannot be fused."""
    functions = {
        variable: _narrow(function) if isinstance(function, tirx.PrimFunc) else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def _narrow(function: tirx.PrimFunc) -> tirx.PrimFunc:
    """The kernel; one that computes with int64 tensors (an ArgMax, say) as it is, and apart."""
    try:
        return ForceNarrowIndexToInt32()(tvm.IRModule({"main": function}))["main"]
    except tvm.error.InternalError:  # an int64 buffer: the pass has no other way to say so
        return function.with_attr("op_pattern", OP_PATTERN_OPAQUE)
