"""Scheduled kernels -> what the VM executes, by whatever serves the family of the target's unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tvm
from tvm import relax

from tvm_pipeline.codegen.cuda.build import build_cuda
from tvm_pipeline.codegen.cuda.fatbin import Fatbin
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import Target
from tvm_pipeline.hardware.unit import CPU, GPU


@dataclass(frozen=True)
class Generated:
    """``fatbin`` is the device code inside ``executable``; None where it has none."""

    executable: relax.VMExecutable
    fatbin: Fatbin | None = None


def build(module: tvm.IRModule, target: Target[Any], *, static: bool = False) -> Generated:
    """Generates code.

    :param static: as a system library, which a static program links.
    :raises UserError: a GPU's code cannot be generated here.
    """
    return _BUILDERS[target.unit.family](module, target, static)


def _build_for_cpu(module: tvm.IRModule, target: Target[Any], static: bool) -> Generated:
    return Generated(relax.build(module, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE, system_lib=static))


def _build_for_gpu(module: tvm.IRModule, target: Target[Any], _static: bool) -> Generated:
    return Generated(*build_cuda(module, target))


_BUILDERS: Mapping[str, Callable[[tvm.IRModule, Target[Any], bool], Generated]] = {
    CPU: _build_for_cpu,
    GPU: _build_for_gpu,
}
