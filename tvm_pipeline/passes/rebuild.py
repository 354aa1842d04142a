"""Copies a Relax function binding by binding, so that a pass can change what it visits."""

from collections.abc import Callable, Mapping

import tvm
from tvm import relax

REBUILT = "main_rebuilt"

Visit = Callable[[relax.BlockBuilder, relax.Var, relax.Expr], relax.Expr]
"""Gets the new builder, the old variable and its value over new operands; returns what now stands for the variable."""


def substitute(expression: relax.Expr, replaced: Mapping[relax.Var, relax.Expr]) -> relax.Expr:
    """``expression`` with its operands (not nested deeper than tuples) replaced."""
    if isinstance(expression, relax.Var):
        return replaced.get(expression, expression)
    if isinstance(expression, relax.Tuple):
        return relax.Tuple([substitute(field, replaced) for field in expression.fields])
    if isinstance(expression, relax.TupleGetItem):
        return relax.TupleGetItem(substitute(expression.tuple_value, replaced), expression.index)
    if isinstance(expression, relax.Call):
        arguments = [substitute(argument, replaced) for argument in expression.args]
        return relax.Call(expression.op, arguments, expression.attrs, expression.ty_args)
    return expression


def rebuild(module: tvm.IRModule, visit: Visit) -> tvm.IRModule:
    """A copy of ``main`` in which every binding went through ``visit``; other functions are kept."""
    function = module["main"]
    builder = relax.BlockBuilder(module)
    replaced: dict[relax.Var, relax.Expr] = {}
    parameters = [relax.Var(parameter.name, parameter.ty) for parameter in function.params]
    replaced.update(zip(function.params, parameters, strict=True))
    with builder.function(REBUILT, parameters, attrs=dict(function.attrs) if function.attrs else None):
        with builder.dataflow():
            for block in function.body.blocks:
                for binding in block.bindings:
                    value = substitute(binding.value, replaced)
                    replaced[binding.var] = visit(builder, binding.var, value)
            output = builder.emit_output(substitute(function.body.body, replaced))
        builder.emit_func_output(output)
    return replace_main(builder.get())


def replace_main(module: tvm.IRModule) -> tvm.IRModule:
    """Puts the function that was built under the name ``REBUILT`` in the place of ``main``."""
    rebuilt = module[REBUILT].with_attr("global_symbol", "main")
    functions = {
        variable: function
        for variable, function in module.functions_items()
        if variable.name_hint not in ("main", REBUILT)
    }
    return tvm.IRModule({**functions, tvm.ir.GlobalVar("main"): rebuilt})
