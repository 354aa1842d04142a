"""A program: what the model and the emulated GPU count of the default kernels of some layers, as JSON.

The emulated libraries must be loaded before TVM is.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from emulated_gpu.counters import read_counters
from emulated_gpu.session import load


def main(descriptors: list[str], counters: Path) -> list[dict[str, Any]]:
    load(counters=counters)
    import tvm

    import targets
    import tvm_pipeline  # noqa: F401  # makes the import of TVM fast
    from mobilenet_tvm.base.layer import Layer
    from tvm_pipeline.backends.gpu_model.walk import count_kernel
    from tvm_pipeline.backends.workers.run import BuiltKernel
    from tvm_pipeline.codegen.cuda.compiler import emulated_compiler
    from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE
    from tvm_pipeline.hardware.target import GpuTarget
    from tvm_pipeline.schedules.space import Space
    from tvm_pipeline.workloads import workload_of

    target = GpuTarget.from_json(targets.load("a100").to_json())
    unit, device = target.unit, tvm.cuda(0)
    modelled = []
    for descriptor in descriptors:
        layer = Layer.parse(descriptor)
        space = Space.of(layer, unit)
        schedule = space.schedule(space.default)
        modelled += count_kernel(schedule.mod["main"], target.tvm)
        with target.tvm, emulated_compiler(unit.compute_capability):
            built = tvm.compile(schedule.mod, target=target.tvm, tir_pipeline=CODEGEN_PIPELINE)
        workload = workload_of(layer, unit)
        arrays = BuiltKernel("", workload.shapes, workload.dtypes).arrays()
        built["main"](*(tvm.runtime.tensor(array, device) for array in arrays))
        device.sync()
    emulated = read_counters(counters)
    return [
        {
            "grid": [list(ours.function.grid), theirs["grid"]],
            "block": [list(ours.function.block), theirs["block"]],
            "asked": [ours.global_bytes, theirs["bytes_loaded"] + theirs["bytes_stored"]],
            "unique": [ours.unique_bytes(), theirs["unique_bytes_read"] + theirs["unique_bytes_written"]],
        }
        for ours, theirs in zip(modelled, emulated, strict=True)
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(main(sys.argv[1:], Path(folder) / "counters.jsonl")))
