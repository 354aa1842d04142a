"""Networks whose outputs have no elements load from their file: TVM's loader reads no such constant out of one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tvm
from compiled_network import Compiled
from onnx_network import Network
from tvm import relax


@pytest.mark.parametrize("shape", [(2, 0), (0,), (2, 3)])
def test_an_output_that_is_a_constant(shape: tuple[int, ...], compile_network: Callable[..., Compiled]) -> None:
    network = Network()
    network.input([2])
    value = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    network.output(network.node("Identity", network.constant(value)))
    module = tvm.runtime.load_module(str(compile_network(network).result.module))
    output = relax.VirtualMachine(module, tvm.cpu())["main"](tvm.runtime.tensor(np.zeros(2, "float32")))
    np.testing.assert_array_equal(output.numpy(), value)
