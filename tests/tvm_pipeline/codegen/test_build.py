"""What is built can be loaded, whatever a network leaves to compute."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import relax

from tvm_pipeline.codegen.build import build
from tvm_pipeline.hardware.target import CpuTarget


@pytest.mark.parametrize("shape", [(2, 0), (0,), (2, 3)])
def test_a_network_that_is_a_constant(shape: tuple[int, ...], target: CpuTarget) -> None:
    """It calls no kernel; TVM's loader once took a constant without elements for a broken file then."""
    value = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    builder, x = relax.BlockBuilder(), relax.Var("x", relax.TensorType((2,), "float32"))
    with builder.function("main", [x]):
        with builder.dataflow():
            output = builder.emit_output(relax.const(value))
        builder.emit_func_output(output)
    machine = relax.VirtualMachine(build(builder.get(), target).executable, tvm.cpu())
    np.testing.assert_array_equal(machine["main"](tvm.runtime.tensor(np.zeros(2, "float32"))).numpy(), value)
