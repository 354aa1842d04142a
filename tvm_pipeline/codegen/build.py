"""Scheduled kernels -> what the VM executes, by whatever serves the family of the target's unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tvm
from tvm import relax, tirx

from tvm_pipeline.codegen.cuda.build import build_cuda
from tvm_pipeline.codegen.cuda.fatbin import Fatbin
from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
from tvm_pipeline.hardware.target import Target
from tvm_pipeline.hardware.unit import CPU, GPU

NOTHING = "nothing"


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
    module = _with_code(module)
    return Generated(relax.build(module, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE, system_lib=static))


def _with_code(module: tvm.IRModule) -> tvm.IRModule:
    """The module, at least with a kernel that does nothing: out of a library without code TVM's loader cannot read a
    constant without elements."""
    if any(isinstance(function, tirx.PrimFunc) for _, function in module.functions_items()):
        return module
    nothing = tirx.PrimFunc([], tirx.Evaluate(0)).with_attr("global_symbol", NOTHING)
    return tvm.IRModule({**dict(module.functions_items()), tvm.ir.GlobalVar(NOTHING): nothing}, attrs=module.attrs)


def _build_for_gpu(module: tvm.IRModule, target: Target[Any], _static: bool) -> Generated:
    return Generated(*build_cuda(module, target))


_BUILDERS: Mapping[str, Callable[[tvm.IRModule, Target[Any], bool], Generated]] = {
    CPU: _build_for_cpu,
    GPU: _build_for_gpu,
}
