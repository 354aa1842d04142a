"""From an imported Relax module to kernels that only want a schedule."""

import tvm
from tvm import relax

from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.blocked_layout import blocked_layout
from tvm_pipeline.passes.empty_tensors import remove_empty_tensors
from tvm_pipeline.passes.fold_constants import fold_constants
from tvm_pipeline.passes.integers.known_values import known_values
from tvm_pipeline.passes.leading_axes import keep_leading_axes
from tvm_pipeline.passes.limits import LIMITS
from tvm_pipeline.passes.maxima import MAXIMA
from tvm_pipeline.passes.narrow_indices import narrow_indices
from tvm_pipeline.passes.one_row import one_row
from tvm_pipeline.passes.reductions import let_last_nan_pass, start_at_infinity
from tvm_pipeline.passes.views import join_reshapes


def simplify(module: tvm.IRModule) -> tvm.IRModule:
    """Spells BatchNorm out, folds constants, and drops what would hide a value or look like another user of it."""
    module = relax.transform.DecomposeOpsForInference()(module)
    module = relax.transform.CanonicalizeBindings()(remove_empty_tensors(module))
    return one_row(keep_leading_axes(fold_constants(module)))


def lower(module: tvm.IRModule, unit: Unit) -> tvm.IRModule:
    """Simplifies, blocks the layout, legalises what is left and fuses elementwise operators into their producers.

    ``unit`` decides which kernels pay.
    """
    module = join_reshapes(blocked_layout(simplify(known_values(module, unit)), unit))
    module = start_at_infinity(narrow_indices(relax.transform.LegalizeOps({**LIMITS, **MAXIMA})(module)))
    module = let_last_nan_pass(module) if unit.maximum_drops_nan else module
    return tvm.transform.Sequential(
        [
            relax.transform.AnnotateTIROpPattern(),
            relax.transform.FuseOps(),
            relax.transform.FuseTIR(),
            relax.transform.DeadCodeElimination(),
        ]
    )(module)
