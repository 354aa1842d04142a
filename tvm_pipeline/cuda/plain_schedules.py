"""Kernels and schedules by TVM's own rules."""

import tvm
from tvm import relax, tirx
from tvm.s_tir import dlight

from mobilenet_tvm.errors import UserError
from tvm_pipeline.gpu_unit import GpuUnit
from tvm_pipeline.passes.pipeline import simplify
from tvm_pipeline.passes.schedule_kernels import ScheduledKernel
from tvm_pipeline.tuning_log import DEFAULT


def plain_schedules(module: tvm.IRModule, unit: GpuUnit) -> tuple[tvm.IRModule, list[ScheduledKernel]]:
    """Legalises, fuses and schedules with dlight, inside ``with target``."""
    if unit.dtype != "float32":
        raise UserError(f"no schedules for {unit.dtype} yet")
    module = tvm.transform.Sequential(
        [
            relax.transform.LegalizeOps(),
            relax.transform.AnnotateTIROpPattern(),
            relax.transform.FuseOps(),
            relax.transform.FuseTIR(),
            relax.transform.DeadCodeElimination(),
            dlight.ApplyDefaultSchedule(
                dlight.gpu.Matmul(), dlight.gpu.GEMV(), dlight.gpu.Reduction(), dlight.gpu.Fallback()
            ),
        ]
    )(simplify(module))
    names = [
        variable.name_hint for variable, function in module.functions_items() if isinstance(function, tirx.PrimFunc)
    ]
    return module, [ScheduledKernel(name, None, DEFAULT, "dlight") for name in sorted(names)]
