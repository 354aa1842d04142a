"""Kernels and schedules by TVM's own rules."""

import tvm
from tvm import relax
from tvm.s_tir import dlight


def plain_schedules(module: tvm.IRModule) -> tvm.IRModule:
    """Legalises, fuses and schedules with dlight, inside ``with target``."""
    return tvm.transform.Sequential(
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
    )(module)
