"""The functions as LLVM IR, one definition for each number of lanes that kernels call them with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import tvm
from tvm import tirx
from tvm.tirx.stmt import AttrStmt

from tvm_pipeline.intrinsics import bfloat16, byte_table, erf, exponential, extremes, int8, log
from tvm_pipeline.intrinsics.value import BYTE, FLOAT, INTEGER, SHORT, Body, Value

Function = Callable[..., Value]

FUNCTIONS: Mapping[str, Function] = {
    "exp": exponential.exp,
    "sigmoid": exponential.sigmoid,
    "tanh": exponential.tanh,
    "erf": erf.erf,
    "log": log.log,
    "at_least": extremes.larger,
    "at_most": extremes.smaller,
    "round_to_bfloat16": bfloat16.round_to_bfloat16,
    "bfloat16_dot": bfloat16.bfloat16_dot,
    "int8_dot": int8.int8_dot,
    "int8_fours": int8.int8_fours,
    "requantise": int8.requantise,
    "int8_signed_dot": int8.int8_signed_dot,
    "int8_wide_dot": int8.int8_wide_dot,
    "byte_table": byte_table.byte_table,
}
_OPERANDS: Mapping[str, Mapping[str, str]] = {
    "at_least": {"%x": FLOAT, "%limit": FLOAT},
    "at_most": {"%x": FLOAT, "%limit": FLOAT},
    "bfloat16_dot": {"%total": FLOAT, "%data": INTEGER, "%weight": INTEGER},
    "int8_dot": {"%total": INTEGER, "%data": INTEGER, "%weight": INTEGER},
    "requantise": dict.fromkeys(("%value", "%zero", "%low", "%high"), FLOAT),
    "int8_fours": {"%first": BYTE, "%second": BYTE, "%third": BYTE, "%fourth": BYTE},
    "int8_signed_dot": {"%total": INTEGER, "%data": INTEGER, "%weight": INTEGER},
    "int8_wide_dot": {"%total": INTEGER, "%data": INTEGER, "%weight": SHORT},
    "byte_table": {"%x": BYTE, **{f"%part{part}": BYTE for part in range(byte_table.SIXTEENTHS)}},
}
"""Of the functions that take more than one float32."""
_IMPORT = "pragma_import_llvm"
_ATTRIBUTES = "alwaysinline nounwind memory(none)"

Called = set[tuple[str, int]]
_called: list[Called] = []


def symbol(name: str, lanes: int) -> str:
    """What LLVM knows a function by."""
    return f"mobilenet_tvm.{name}.x{lanes}"


def note_call(name: str, lanes: int) -> None:
    """Notes that a kernel, which is being lowered, calls a function."""
    if _called:
        _called[-1].add((name, lanes))


@contextmanager
def calls_noted() -> Iterator[Called]:
    """What the kernels that are lowered within it call."""
    _called.append(set())
    try:
        yield _called[-1]
    finally:
        _called.pop()


def import_functions(lower: tvm.transform.Pass) -> tvm.transform.Pass:
    """The pass ``lower``, which turns intrinsics into calls, with the IR of what is called then."""

    @tvm.transform.module_pass(opt_level=0)  # type: ignore[untyped-decorator]
    def lower_and_import(module: tvm.IRModule, _: tvm.transform.PassContext) -> tvm.IRModule:
        with calls_noted() as called:
            module = lower(module)
        return _with_definitions(module, called) if called else module

    return lower_and_import


def _with_definitions(module: tvm.IRModule, called: Called) -> tvm.IRModule:
    """The module with the IR on its first function: LLVM links it once, for all of them."""
    functions = dict(module.functions_items())
    variable, function = next((var, made) for var, made in functions.items() if isinstance(made, tirx.PrimFunc))
    is_aarch64 = "aarch64" in str(function.attrs["target"].attrs.get("mtriple", ""))
    source = tvm.ir.StringImm("\n".join(definition(*call, is_aarch64=is_aarch64) for call in sorted(called)))
    body = AttrStmt(tirx.const(0, "int32"), _IMPORT, source, function.body)
    return tvm.IRModule({**functions, variable: function.with_body(body)}, attrs=module.attrs)


def definition(name: str, lanes: int, *, is_aarch64: bool) -> str:
    """The IR of a function; LLVM inlines it everywhere and then drops it."""
    body = Body(lanes, is_aarch64)
    operands = [Value(body, kind, operand) for operand, kind in _OPERANDS.get(name, {"%x": FLOAT}).items()]
    result = FUNCTIONS[name](*operands)
    parameters, kind = ", ".join(operand.typed for operand in operands), body.type_of(result.kind)
    head = f"define linkonce_odr hidden {kind} @{symbol(name, lanes)}({parameters}) {_ATTRIBUTES} {{"
    return "\n".join((head, *body.lines, f"  ret {result.typed}", "}"))
