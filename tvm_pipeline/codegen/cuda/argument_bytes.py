"""How many bytes each argument of a device function has: what a check of its accesses needs, and CUDA does not say."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import tvm
from tvm import DataType, tirx
from tvm.tirx.buffer import BufferType

_SIGNATURE = re.compile(r"__global__ void (?:__launch_bounds__\([^)]*\) )?(\w+)\(([^)]*)\) \{")
_SUFFIX = "_ptr"  # the code generator's, behind a buffer's name


def add_arguments(kernels: Sequence[Mapping[str, Any]], source: str, module: tvm.IRModule) -> list[dict[str, Any]]:
    """The kernels of a manifest's ``device_code`` with ``arguments``: ``name`` and ``bytes`` of each that is known.

    :param kernels: with ``name``, and ``function``, the name of the kernel that it is a launch of.
    :param source: the CUDA source of them all.
    :param module: the network with its scheduled kernels.
    """
    names = {name: _pointers(parameters) for name, parameters in _SIGNATURE.findall(source)}
    sizes = {
        variable.name_hint: _buffers(function)
        for variable, function in module.functions_items()
        if isinstance(function, tirx.PrimFunc)
    }
    return [
        {**kernel, "arguments": _known(names.get(kernel["name"], ()), sizes.get(kernel.get("function", ""), {}))}
        for kernel in kernels
    ]


def _pointers(parameters: str) -> tuple[str, ...]:
    return tuple(parameter.split()[-1] for parameter in parameters.split(",") if "*" in parameter)


def _known(pointers: Sequence[str], sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    named = ((pointer, sizes.get(pointer.removesuffix(_SUFFIX))) for pointer in pointers)
    return [{"name": pointer, "bytes": size} for pointer, size in named if size is not None]


def _buffers(function: tirx.PrimFunc) -> dict[str, int]:
    """Bytes of a kernel's parameters by name, of those of known shape whose name is no other's."""
    sizes: dict[str, list[int]] = {}
    for parameter in function.params:
        if isinstance(parameter.ty, BufferType) and all(isinstance(extent, tirx.IntImm) for extent in parameter.shape):
            elements = math.prod(int(extent) for extent in parameter.shape)
            size = elements * DataType(str(parameter.dtype)).bits // 8
            sizes.setdefault(str(parameter.name), []).append(size)
    return {name: known[0] for name, known in sizes.items() if len(known) == 1}
