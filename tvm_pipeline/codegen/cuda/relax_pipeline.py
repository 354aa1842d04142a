"""Relax's own lowering of scheduled kernels for a GPU, with the calls of the network in a CUDA graph."""

import tvm
from tvm import relax

USE_GRAPH = "relax.backend.use_cuda_graph"
"""The switch of ``RewriteCUDAGraph`` in the pass context.

What it captures is all that neither reads the network's input nor writes its output: those two tensors are the
caller's, and a graph holds addresses.
"""


@tvm.transform.module_pass(opt_level=0)  # type: ignore[untyped-decorator]
def cuda_pipeline(module: tvm.IRModule, _: tvm.transform.PassContext) -> tvm.IRModule:
    """From kernels and ``call_tir`` to what the VM executes; memory is planned first, so that a graph can hold it."""
    return tvm.transform.Sequential(
        [
            relax.transform.RewriteDataflowReshape(),
            relax.transform.ToNonDataflow(),
            relax.transform.RemovePurityChecking(),
            relax.transform.CallTIRRewrite(),
            relax.transform.StaticPlanBlockMemory(),
            relax.transform.RewriteCUDAGraph(),
            relax.transform.LowerAllocTensor(),
            relax.transform.KillAfterLastUse(),
            relax.transform.LowerRuntimeBuiltin(),
            relax.transform.ComputePrimValue(),
            relax.transform.VMShapeLower(),
            relax.transform.AttachGlobalSymbol(),
        ]
    )(module)
