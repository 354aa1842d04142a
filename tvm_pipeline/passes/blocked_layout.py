"""Lowers convolutions, dense layers and pooling to kernels, and keeps activations blocked between them."""

import tvm
from tvm import relax

from tvm_pipeline.hardware.unit import Unit
from tvm_pipeline.passes.dataflow import operator_name, variables_of
from tvm_pipeline.passes.integers.account import WHY_FLOAT
from tvm_pipeline.passes.integers.reasons import is_quantised, why_float
from tvm_pipeline.passes.lowering.context import Lowering
from tvm_pipeline.passes.lowering.table import HANDLERS
from tvm_pipeline.passes.rebuild import REBUILT, replace_main, substitute


def blocked_layout(module: tvm.IRModule, unit: Unit) -> tvm.IRModule:
    """The pass: ``main`` keeps its signature, kernels replace what they can, the rest stays as operators."""
    lowering = Lowering(module, unit)
    builder, flow = lowering.builder, lowering.flow
    explains = is_quantised(flow)
    parameters = [relax.Var(parameter.name, parameter.ty) for parameter in flow.parameters]
    lowering.plain.update(zip(flow.parameters, parameters, strict=True))
    with builder.function(REBUILT, parameters):
        with builder.dataflow():
            for var, value in flow.bindings:
                lowering.why_float = why_float(flow, value, unit) if explains else None
                _lower(lowering, var, value)
            output = builder.emit_output(lowering.plain_value(flow.output))
        builder.emit_func_output(output)
    lowered = replace_main(builder.get())
    if explains:
        lowered.update_func(lowered.get_global_var("main"), lowered["main"].with_attr(WHY_FLOAT, lowering.reasons))
    return _without_uncalled(relax.transform.DeadCodeElimination()(lowered))


def _without_uncalled(module: tvm.IRModule) -> tvm.IRModule:
    """Drops kernels whose calls were eliminated: their names make entries of them, which are kept."""
    called: set[str] = {"main"}
    relax.analysis.post_order_visit(
        module["main"], lambda node: called.add(node.name_hint) if isinstance(node, tvm.ir.GlobalVar) else None
    )
    functions = {variable: made for variable, made in module.functions_items() if variable.name_hint in called}
    return tvm.IRModule(functions, attrs=module.attrs)


def _lower(lowering: Lowering, var: relax.Var, value: relax.Expr) -> None:
    if var in lowering.fused or lowering.is_ready(var):
        return
    handler = HANDLERS.get(operator_name(value)) if isinstance(value, relax.Call) else None
    if handler is None or not handler(lowering, var, value):
        _keep(lowering, var, value)


def _keep(lowering: Lowering, var: relax.Var, value: relax.Expr) -> None:
    """Emits an operator as it was, on plain operands."""
    if isinstance(value, relax.Var):
        lowering.plain[var] = lowering.plain_value(value)
        return
    operands = {used: lowering.plain_value(used) for used in variables_of(value)}
    lowering.plain[var] = lowering.builder.emit(substitute(value, operands))
