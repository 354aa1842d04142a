"""What a package's manifest says of its kernels beside ptxas' figures: the static model's."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import tvm
from tvm import relax, tirx

from tvm_pipeline.backends.gpu_model.counts import LaunchCounts
from tvm_pipeline.backends.gpu_model.estimate import MODEL_VERSION, estimate
from tvm_pipeline.backends.gpu_model.walk import count_kernel
from tvm_pipeline.codegen.cuda.fatbin import KernelResources
from tvm_pipeline.hardware.target import GpuTarget


def describe_model(target: GpuTarget) -> dict[str, Any]:
    """Which model speaks of which card."""
    return {"version": MODEL_VERSION, "card": target.card, "launch_us": target.unit.launch_us}


def add_figures(kernels: Sequence[Mapping[str, Any]], module: tvm.IRModule, target: GpuTarget) -> list[dict[str, Any]]:
    """The kernels of a manifest's ``device_code`` with what the model says of each.

    :param kernels: ptxas' figures: ``name``, ``registers``, ``shared_bytes``, ``spill_bytes``.
    :param module: the network with its scheduled kernels; a device function's name begins with its kernel's.
    """
    calls = _calls(module)
    figures: dict[str, dict[str, Any]] = {}
    by_name = {str(kernel["name"]): kernel for kernel in kernels}
    for variable, function in module.functions_items():
        name = variable.name_hint
        if not isinstance(function, tirx.PrimFunc) or not any(
            device.startswith(f"{name}_kernel") for device in by_name
        ):
            continue
        for counts in count_kernel(function.with_attr("global_symbol", name), target.tvm):
            kernel = by_name.get(counts.function.name)
            if kernel is not None:
                figures[counts.function.name] = {
                    "function": name,
                    "calls": calls.get(name, 0),
                    **_figures(counts, kernel, target),
                }
    return [{**kernel, **figures.get(str(kernel["name"]), {})} for kernel in kernels]


def _figures(counts: LaunchCounts, kernel: Mapping[str, Any], target: GpuTarget) -> dict[str, Any]:
    resources = KernelResources(**{own.name: kernel[own.name] for own in fields(KernelResources)})
    modelled = estimate(counts, resources, target.unit)
    return {
        "grid": list(counts.function.grid),
        "block": list(counts.function.block),
        "occupancy": round(modelled.occupancy.share, 4),
        "resident_blocks": modelled.occupancy.blocks,
        "limited_by": modelled.occupancy.limit,
        "waves": round(modelled.waves, 4),
        "global_bytes": round(counts.global_bytes),
        "sector_bytes": round(counts.sector_bytes),
        "unique_bytes": counts.unique_bytes(),
        "flops": round(counts.arithmetic.flops),
        "tensor_flops": round(counts.arithmetic.tensor_flops),
        "barriers": round(counts.barriers),
        "estimated_us": round(modelled.seconds * 1e6, 3),
        "bound": modelled.bound,
    }


def _calls(module: tvm.IRModule) -> dict[str, int]:
    """How often each kernel is called by the network."""
    calls: dict[str, int] = {}

    def visit(node: Any) -> None:
        if isinstance(node, tvm.relax.Call) and isinstance(node.args[0] if node.args else None, tvm.ir.GlobalVar):
            name = node.args[0].name_hint
            calls[name] = calls.get(name, 0) + 1

    relax.analysis.post_order_visit(module["main"], visit)
    return calls
