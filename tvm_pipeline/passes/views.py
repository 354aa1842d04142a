"""Reshapes of reshapes become one, and those that change nothing go: what is left is a view, and costs no copy."""

import tvm
from tvm import ir, relax

from tvm_pipeline.passes.dataflow import operator_name, shape_of
from tvm_pipeline.passes.rebuild import rebuild


def join_reshapes(module: tvm.IRModule) -> tvm.IRModule:
    """The pass, on operators that are not lowered to kernels yet."""
    sources: dict[relax.Var, relax.Expr] = {}

    def visit(builder: relax.BlockBuilder, _: relax.Var, value: relax.Expr) -> relax.Expr:
        if isinstance(value, ir.GenericConst | relax.Var):
            return value
        if not isinstance(value, relax.Call) or operator_name(value) != "relax.reshape":
            return builder.emit(value)
        data = value.args[0]
        source = sources.get(data, data) if isinstance(data, relax.Var) else data
        result = builder.emit(relax.op.reshape(source, value.args[1]))
        if isinstance(source, relax.Var) and shape_of(source) == shape_of(result):
            return source
        sources[result] = source
        return result

    return relax.transform.DeadCodeElimination()(rebuild(module, visit))
