"""Tensors without elements: TVM's kernels divide by their extents, so that they are made by one that does nothing."""

import tvm
from tvm import relax, tirx

from tvm_pipeline.passes.dataflow import operator_name, shape_of
from tvm_pipeline.passes.rebuild import rebuild
from tvm_pipeline.workloads.registry import OP_PATTERN_OPAQUE


def remove_empty_tensors(module: tvm.IRModule) -> tvm.IRModule:
    """Makes every value without elements out of nothing, and leaves such values out of concatenations."""

    def visit(builder: relax.BlockBuilder, var: relax.Var, value: relax.Expr) -> relax.Expr:
        return builder.emit(_make_nothing(builder, var) if is_empty(var) else _without_empty_fields(value))

    bindings = [binding for block in module["main"].body.blocks for binding in block.bindings]
    return rebuild(module, visit) if any(is_empty(binding.var) for binding in bindings) else module


def is_empty(expression: relax.Expr) -> bool:
    """Whether the value is a tensor of a known shape without elements."""
    kind = expression.ty
    is_known = isinstance(kind, relax.TensorType) and isinstance(kind.shape, relax.ShapeExpr)
    return is_known and any(isinstance(extent, tvm.tirx.IntImm) and int(extent) == 0 for extent in kind.shape.values)


def _without_empty_fields(value: relax.Expr) -> relax.Expr:
    is_concat = isinstance(value, relax.Call) and operator_name(value) == "relax.concat"
    if not is_concat or not isinstance(value.args[0], relax.Tuple):
        return value
    fields = [field for field in value.args[0].fields if not is_empty(field)]
    return relax.op.concat(fields, axis=int(value.attrs.axis)) if len(fields) > 1 else fields[0]


def _make_nothing(builder: relax.BlockBuilder, var: relax.Var) -> relax.Expr:
    shape, dtype = shape_of(var), str(var.ty.dtype)
    kernel = tirx.PrimFunc([tirx.decl_buffer(shape, dtype, "output")], tirx.Evaluate(0))
    name = "empty_" + "x".join(map(str, shape)) + f"_{dtype}"
    attributes = {"global_symbol": name, "tirx.noalias": True, "op_pattern": OP_PATTERN_OPAQUE}
    return relax.call_tir(builder.add_func(kernel.with_attrs(attributes), name), [], relax.TensorType(shape, dtype))
