"""Scheduled kernels -> an executable with device code in it, and what the manifest says of that code."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tvm
from tvm import relax

from mobilenet_tvm.base.errors import UserError
from tvm_pipeline.codegen.cuda.compiler import device_compiler
from tvm_pipeline.codegen.cuda.elf import add_device_section
from tvm_pipeline.codegen.cuda.fatbin import Fatbin
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import GpuTarget

SOURCE = "debug/kernels.cu"

USE_GRAPH = "relax.backend.use_cuda_graph"
"""The switch of ``RewriteCUDAGraph`` in the pass context.

What it captures is all that neither reads the network's input nor writes its output: those two tensors are the
caller's, and a graph holds addresses.
"""


def build_cuda(module: tvm.IRModule, target: GpuTarget, *, graph: bool = True) -> tuple[relax.VMExecutable, Fatbin]:
    """Generates host code and device code; ``graph``: the calls between input and output go into one CUDA graph.

    :raises UserError: there is no nvcc, it does not know the architecture, or nothing is left for the GPU to do.
    """
    context = tvm.transform.PassContext(opt_level=3, config={USE_GRAPH: graph})
    with target.tvm, context, device_compiler(target.unit.arch) as compiled:
        executable = relax.build(module, target=target.tvm, relax_pipeline=cuda_pipeline, tir_pipeline=CODEGEN_PIPELINE)
    if not compiled:
        raise UserError("the network has no kernel for a GPU to run: compile it for a CPU")
    (fatbin,) = compiled
    return executable, fatbin


def write_device_code(fatbin: Fatbin, module: Path, driver: str | None) -> dict[str, Any]:
    """Writes the source beside the linked module, marks the code in it, and returns the manifest's ``device_code``."""
    add_device_section(module, fatbin.code)
    source = module.parent / SOURCE
    source.parent.mkdir(exist_ok=True)
    source.write_text(fatbin.source, encoding="utf-8")
    return {
        "arch": fatbin.arch,
        "ptx": fatbin.ptx,
        "driver": driver,
        "compiler": fatbin.compiler,
        "source": SOURCE,
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "fatbin_sha256": hashlib.sha256(fatbin.code).hexdigest(),
        "kernels": [asdict(kernel) for kernel in fatbin.kernels],
    }


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
