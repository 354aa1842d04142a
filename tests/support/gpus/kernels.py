"""A child process that compiles kernels for a GPU in one module and runs them on the emulated one.

``deviations(cases)`` starts it. Standard input and output are JSON: cases, then errors in the same order. The emulated
driver names what goes wrong (an address outside a buffer, two threads at odds about shared memory) and ends it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Case:
    """A layer in a dtype on a preset's GPU; its generator's default where no decisions are given."""

    layer: str
    dtype: str
    decisions: Mapping[str, int] | None = None
    target: str = "cuda-sm_80"


def deviations(cases: Sequence[Case]) -> list[float]:
    """Per case the largest error as a share of the reference's largest value."""
    child = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps([asdict(case) for case in cases]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    found: list[float] = json.loads(child.stdout.splitlines()[-1])
    return found


def _main() -> None:
    sys.path[:0] = [str(SUPPORT), str(SUPPORT.parents[1])]
    from emulated_gpu.session import compile_callback, load

    load()
    import tvm  # noqa: F401  # registers a compiler of its own
    import tvm_ffi

    import tvm_pipeline  # noqa: F401  # makes the import of TVM fast

    tvm_ffi.register_global_func("tvm_callback_cuda_compile", compile_callback(80), override=True)
    print(json.dumps(_run([Case(**one) for one in json.load(sys.stdin)])))


def _run(cases: Sequence[Case]) -> list[float]:
    import tvm

    from tvm_pipeline.codegen.pipeline import CODEGEN_PIPELINE

    spaces = [_space(case) for case in cases]
    kernels = {}
    for number, (case, space) in enumerate(zip(cases, spaces, strict=True)):
        decisions = case.decisions or space.generator.default(space.layer, space.unit)
        choice = space.choice(decisions)
        assert choice is not None, f"{dict(decisions)} is not in the space of {case.layer}"
        name = f"kernel{number}"
        kernels[name] = space.schedule(choice).mod["main"].with_attr("global_symbol", name)
    # one host function calls another's kernels as well: all share an architecture
    module = tvm.compile(tvm.IRModule(kernels), target=_target(cases[0]).tvm, tir_pipeline=CODEGEN_PIPELINE)
    return [_deviation(module[name], space) for name, space in zip(kernels, spaces, strict=True)]


def _target(case: Case) -> Any:
    import targets
    from tvm_pipeline.hardware.target import Target

    return Target.from_json(targets.load(case.target).to_json(), case.dtype)


def _space(case: Case) -> Any:
    from mobilenet_tvm.base.layer import Layer
    from tvm_pipeline.schedules.space import Space

    layer, unit = Layer.parse(case.layer), _target(case).unit
    return Space.of(layer, unit)


def _deviation(kernel: Any, space: Any) -> float:
    import numpy as np
    import tvm
    from kernel_reference import Tensors, arguments, expected, from_blocks

    from tvm_pipeline.workloads import workload_of

    layer, workload, tensors = space.layer, workload_of(space.layer, space.unit), Tensors.random(space.layer)
    device = tvm.cuda(0)
    inputs = [
        tvm.runtime.tensor(np.ascontiguousarray(one).astype(str(wanted.dtype)), device)
        for one, wanted in zip(arguments(layer, tensors), workload.arguments, strict=True)
    ]
    shape, dtype = tuple(int(extent) for extent in workload.output.shape), str(workload.output.dtype)
    output = tvm.runtime.tensor(np.full(shape, np.nan, dtype), device)
    kernel(*inputs, output)
    found = output.numpy().astype(np.float32)
    found = found if layer.kind == "dense" else from_blocks(found, layer)
    reference = expected(layer, tensors)
    error = np.abs(found - reference).max() / max(1.0, np.abs(reference).max())
    return float("inf") if np.isnan(error) else float(error)


if __name__ == "__main__":
    _main()
