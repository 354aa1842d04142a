"""What each kernel of a quantised network computed in and, where that is float32, why: for the manifest."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import tvm
from tvm import tirx

from mobilenet_tvm.base.compiled import Kernel
from mobilenet_tvm.base.document import UNSET
from mobilenet_tvm.base.layer import Layer

WHY_FLOAT = "mobilenet_tvm.why_float"
"""Attribute of ``main`` in a quantised network: the reason of each layer of float32, by descriptor."""

TO_BYTES = "it makes bytes of float32"
FROM_BYTES = "it makes float32 of bytes"
BETWEEN_BYTES = "no kernel of bytes has these operations: float32 between bytes"
FLOAT_VALUES = "what it reads and makes is float32"

_OF_BYTES = "int8_"
"""What the names of generators begin with whose kernels compute in whole numbers."""

_FLOATS = ("float32", "float16", "float64")
"""As TVMScript writes them; TIR has no visitor in Python."""

_WEIGHTLESS = ("global_average_pool", "average_pool", "max_pool")


def with_reasons(module: tvm.IRModule, kernels: Sequence[Kernel]) -> tuple[Kernel, ...]:
    """The kernels of a scheduled module; in a quantised network those of float32 say why they are none of int8."""
    reasons = (module["main"].attrs or {}).get(WHY_FLOAT)
    if reasons is None:
        return tuple(kernels)
    return tuple(_explained(kernel, dict(reasons), module[kernel.name]) for kernel in kernels)


def _explained(kernel: Kernel, reasons: dict[str, str], function: tirx.PrimFunc) -> Kernel:
    if kernel.dtype == "int8":
        return kernel
    if kernel.generator is not None and kernel.generator.startswith(_OF_BYTES):
        return replace(kernel, dtype="int8")
    if kernel.layer in reasons:
        return replace(kernel, why=str(reasons[kernel.layer]))
    if not _computes_in_float(function):
        return replace(kernel, dtype="int8")
    *read, made = (str(parameter.dtype) for parameter in function.params)
    return replace(kernel, why=_why(_is_float(made), any(map(_is_float, read))))


def _why(makes_float: bool, reads_float: bool) -> str:
    if makes_float:
        return FLOAT_VALUES if reads_float else FROM_BYTES
    return TO_BYTES if reads_float else BETWEEN_BYTES


def _is_float(dtype: str) -> bool:
    return "float" in dtype


def _computes_in_float(function: tirx.PrimFunc) -> bool:
    return any(dtype in function.script() for dtype in _FLOATS)


def warn_of_float_layers(kernels: Sequence[Kernel], warn: Callable[[str], None]) -> None:
    """Tells in one line where layers with weights of a quantised network compute in float32."""
    layers = [(Layer.parse(kernel.layer), kernel) for kernel in kernels if kernel.layer is not None]
    weighted = [kernel for layer, kernel in layers if layer.kind not in _WEIGHTLESS]
    plain = [kernel for kernel in weighted if kernel.why is not UNSET]
    if plain:
        warn(
            f"{len(plain)} of the {len(weighted)} kernels with weights compute in float32, not in int8, "
            f"{plain[0].layer} because {plain[0].why}: `inspect` tells the reason of each"
        )
