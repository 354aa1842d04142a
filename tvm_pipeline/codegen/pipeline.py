"""TVM's own lowering, with a kernel's accumulators left to LLVM: the pipeline that every kernel is compiled by."""

import math
from collections.abc import Callable

import tvm
from tvm import tirx
from tvm.tirx.compilation_pipeline import get_tir_pipeline, register_tir_pipeline
from tvm.tirx.stmt import AllocBuffer, AttrStmt, For, IfThenElse, SeqStmt, Stmt

from tvm_pipeline.codegen.prefetch_weights import prefetch_weights
from tvm_pipeline.intrinsics import import_functions, register_lowerings

CODEGEN_PIPELINE = "mobilenet_tvm"
"""The name by which ``tvm.compile`` and ``relax.build`` know it, once this module is imported."""
_ACCUMULATOR_SCOPE = "local"
_STAY_ON_STACK = "disable_lower_builtin"
_MOST_BYTES = 16 * 1024
GPU_CONFIG = {
    "tirx.use_async_copy": True,
    "tirx.disable_cse_tir": True,
    "tirx.disable_storage_rewrite": True,
}
"""Copies into shared memory that a schedule marks as such bypass registers (``cp.async``), which StorageRewrite would
break: it turns their arrays into arrays of vectors. Common subexpressions, which nvcc finds itself, would only hide
what a line of the source computes."""
_Finalize = Callable[[], tvm.transform.Pass]


def _pipeline() -> tuple[tvm.transform.Pass, _Finalize, _Finalize]:
    lower, finalize_host, finalize_device = get_tir_pipeline("s_tir")

    def finalize() -> tvm.transform.Pass:
        return tvm.ir.transform.Sequential([_keep_accumulators_on_stack, import_functions(finalize_host())])

    @tvm.transform.module_pass(opt_level=0)  # type: ignore[untyped-decorator]
    def lower_for_unit(module: tvm.IRModule, _: tvm.transform.PassContext) -> tvm.IRModule:
        if not _is_for_gpu(module):
            return lower(prefetch_weights(module))
        with tvm.transform.PassContext(config=GPU_CONFIG):
            return lower(module)

    return lower_for_unit, finalize, finalize_device


def _is_for_gpu(module: tvm.IRModule) -> bool:
    targets = [function.attrs.get("target") for function in module.functions.values() if function.attrs is not None]
    return any(target is not None and target.kind.name == "cuda" for target in targets)


@tvm.transform.module_pass(opt_level=0)  # type: ignore[untyped-decorator]
def _keep_accumulators_on_stack(module: tvm.IRModule, _: tvm.transform.PassContext) -> tvm.IRModule:
    """Keeps LowerTVMBuiltin from making a heap allocation of every local buffer (``lower_tvm_builtin.cc``): LLVM takes
    an array on the stack apart into registers, and cannot do so with memory that a call hands out."""
    functions = {
        variable: function.with_body(_mark(function.body)) if isinstance(function, tirx.PrimFunc) else function
        for variable, function in module.functions_items()
    }
    return tvm.IRModule(functions, attrs=module.attrs)


def _mark(statement: Stmt) -> Stmt:
    if isinstance(statement, AllocBuffer):
        return _mark_allocation(statement)
    if isinstance(statement, SeqStmt):
        return SeqStmt([_mark(part) for part in statement.seq])
    if isinstance(statement, For):
        return For(
            statement.loop_var,
            statement.min,
            statement.extent,
            statement.kind,
            _mark(statement.body),
            statement.thread_binding,
            statement.annotations,
        )
    if isinstance(statement, AttrStmt):
        return AttrStmt(statement.node, statement.attr_key, statement.value, _mark(statement.body))
    if isinstance(statement, IfThenElse):
        otherwise = None if statement.else_case is None else _mark(statement.else_case)
        return IfThenElse(statement.condition, _mark(statement.then_case), otherwise)
    return statement


def _mark_allocation(allocation: AllocBuffer) -> AllocBuffer:
    buffer = allocation.buffer
    if buffer.scope() != _ACCUMULATOR_SCOPE or not all(isinstance(extent, tirx.IntImm) for extent in buffer.shape):
        return allocation
    size = math.prod(int(extent) for extent in buffer.shape) * tvm.DataType(buffer.dtype).itemsize
    return AllocBuffer(buffer, {_STAY_ON_STACK: tirx.const(1, "int32")}) if size <= _MOST_BYTES else allocation


register_tir_pipeline(CODEGEN_PIPELINE, _pipeline)
register_lowerings()
