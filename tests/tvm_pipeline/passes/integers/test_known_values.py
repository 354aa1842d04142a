"""``dequantize`` of constants is computed beforehand, but for weights that are multiplied as bytes."""

from __future__ import annotations

import pytest
import tvm
from qdq_network import QdqNetwork
from tvm import relax

import targets
from tvm_pipeline.hardware.target import CpuTarget
from tvm_pipeline.importer.import_onnx import convert
from tvm_pipeline.passes.dataflow import operator_name
from tvm_pipeline.passes.integers.known_values import known_values


def _of_constants(module: tvm.IRModule) -> int:
    """How many calls of ``dequantize`` have a constant operand."""
    calls: list[relax.Call] = []

    def visit(node: object) -> None:
        if isinstance(node, relax.Call) and operator_name(node) == "relax.dequantize":
            calls.append(node)

    relax.analysis.post_order_visit(module["main"], visit)
    return sum(isinstance(call.args[0], tvm.ir.GenericConst) for call in calls)


@pytest.mark.parametrize(
    ("target", "left"), [("x86-64-v4-vnni", 1), ("x86-64-v3-vnni", 1), ("x86-64-v3", 1), ("rpi5", 1), ("rpi4", 0)]
)
def test_weights_stay_bytes_where_they_are_multiplied_so(target: str, left: int) -> None:
    network = QdqNetwork()
    x = network.quantised(network.input([1, 64, 6, 6]), 0.03, 121)
    x = network.quantised(network.qdq_conv(x, 64, 64), 0.03, 121)
    network.output(network.qdq_conv(x, 64, 64, 3))  # a kind that no kernel of bytes computes
    module = convert(network.model())
    assert _of_constants(module) == 2
    unit = CpuTarget.from_json(targets.load(target).to_json()).unit
    assert _of_constants(known_values(module, unit)) == left
