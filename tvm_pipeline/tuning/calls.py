"""The layers of a lowered network."""

from collections import Counter
from typing import Any

import tvm

from mobilenet_tvm.base.layer import Layer
from tvm_pipeline.schedules.annotations import anchor_descriptor


def calls_of(module: tvm.IRModule) -> Counter[Layer]:
    """The kernels by descriptor, and how often each is called."""
    descriptors: dict[str, str] = {}
    for variable, function in module.functions_items():
        if isinstance(function, tvm.tirx.PrimFunc):
            descriptor = anchor_descriptor(tvm.s_tir.Schedule(tvm.IRModule({"main": function})))
            if descriptor is not None:
                descriptors[variable.name_hint] = descriptor
    calls: Counter[Layer] = Counter()

    def visit(node: Any) -> None:
        if isinstance(node, tvm.relax.Call) and isinstance(node.args[0] if node.args else None, tvm.ir.GlobalVar):
            name = node.args[0].name_hint
            if name in descriptors:
                calls[Layer.parse(descriptors[name])] += 1

    tvm.relax.analysis.post_order_visit(module["main"], visit)
    return calls
