"""From an imported Relax module to kernels that only want a schedule."""

import tvm
from tvm import relax

from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.blocked_layout import blocked_layout
from tvm_pipeline.passes.fold_constants import fold_constants
from tvm_pipeline.passes.lowering.table import HANDLERS
from tvm_pipeline.passes.narrow_indices import narrow_indices


def simplify(module: tvm.IRModule) -> tvm.IRModule:
    """Spells BatchNorm out, folds constants, and drops what would only look like another user of a value."""
    module = relax.transform.DecomposeOpsForInference()(module)
    module = relax.transform.CanonicalizeBindings()(module)
    return relax.transform.DeadCodeElimination()(fold_constants(module))


def lower(module: tvm.IRModule, unit: Unit) -> tvm.IRModule:
    """Simplifies, blocks the layout, legalises what is left and fuses elementwise operators into their producers.

    ``unit`` decides which kernels pay.
    """
    module = blocked_layout(simplify(module), unit, HANDLERS)
    module = narrow_indices(relax.transform.LegalizeOps()(module))
    return tvm.transform.Sequential(
        [
            relax.transform.AnnotateTIROpPattern(),
            relax.transform.FuseOps(),
            relax.transform.FuseTIR(),
            relax.transform.DeadCodeElimination(),
        ]
    )(module)
