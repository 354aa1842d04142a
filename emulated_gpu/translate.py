"""CUDA source as C++ for the CPU: what differs in grammar is rewritten here; ``device/`` has what differs in names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulated_gpu.ptx import closing, split, translate_asm

_KERNEL = re.compile(
    r'(?:extern\s+"C"\s+)?__global__\s+(?:__launch_bounds__\s*\(([^)]*)\)\s*)?void\s+'
    r"(?:__launch_bounds__\s*\(([^)]*)\)\s*)?(\w+)\s*\("
)
_DEVICE_FUNCTION = re.compile(r"__device__[^;{}()]*?\b(\w+)\s*\(")
_SHARED = re.compile(
    r"(extern\s+)?__shared__\s+((?:(?:alignas|__align__)\s*\(\d+\)\s*)?)([\w:<>, ]+?[\s*&])"
    r"(\w+)((?:\s*\[[^\]]*\])*)\s*;"
)
_COLLECTIVE = re.compile(
    r"\b(?:__syncthreads\w*|__syncwarp|__shfl\w*|__ballot_sync|__any_sync|__all_sync|__activemask|mma_sync|"
    r"EmulatedLoadMatrix|EmulatedMma)\b"
)
_NARROW = re.compile(r"\b(?:half2?|__half2?|u?short\w*|u?char\w*|u?int(?:8|16)_t|bool)\b")
# TVM's own vector of four halves: moved in one piece like CUDA's vectors (device/vectors.h).
_HALVES = "half4_bfloat164 {\n  T x, y, z, w;\n"
_WHOLE_HALVES = "half4_bfloat164 {\n  EMULATED_VECTOR_BODY(half4_bfloat164, T, 4, x, y, z, w)\n"


@dataclass(frozen=True)
class Kernel:
    """A ``__global__`` function.

    :ivar begin: where its declaration begins in the source.
    :ivar parameters: of each the type and the name.
    :ivar max_threads: of its ``__launch_bounds__``; 0 where it has none.
    """

    name: str
    begin: int
    body_begin: int
    body_end: int
    parameters: tuple[tuple[str, str], ...]
    max_threads: int


def find_kernels(source: str) -> list[Kernel]:
    """The kernels that a CUDA source defines, in its order."""
    kernels = []
    for found in _KERNEL.finditer(source):
        end = closing(source, found.end() - 1)
        body = re.compile(r"\s*\{").match(source, end + 1)
        if body is None:
            continue
        words = source[found.end() : end].replace("__restrict__", " ")
        parameters = tuple(_parameter(word) for word in split(words, ",") if word.strip())
        bounds = (found.group(1) or found.group(2) or "0").split(",")[0].strip()
        limit = int(bounds) if bounds.isdecimal() else 0
        begin = source.rfind("\n", 0, found.start()) + 1
        kernels.append(
            Kernel(found.group(3), begin, body.end() - 1, closing(source, body.end() - 1), parameters, limit)
        )
    return kernels


def _parameter(text: str) -> tuple[str, str]:
    matched = re.fullmatch(r"\s*(.*?[\s*&])(\w+)\s*", text, re.DOTALL)
    if matched is None:
        raise ValueError(f"a kernel's parameter has no name: {text}")
    return " ".join(matched.group(1).split()), matched.group(2)


def translate(source: str) -> str:
    """C++ of the same meaning and with the same lines, to be compiled with ``device/emulated_cuda.h`` included first.

    :raises ValueError: its brackets do not match, or a declaration has a form that is not known.
    """
    source = translate_asm(source).replace(_HALVES, _WHOLE_HALVES)
    collective = _collective_functions(source)
    parts, at = ['#line 1 "kernels.cu"\n'], 0
    table = []
    for kernel in find_kernels(source):
        body = source[kernel.body_begin : kernel.body_end]
        layout, body, dynamic = _place_shared(kernel.name, body)
        parts += [source[at : kernel.begin], layout, source[kernel.begin : kernel.body_begin], body]
        at = kernel.body_end
        waits = any(name in collective for name in re.findall(r"\w+", body)) or bool(_COLLECTIVE.search(body))
        granule = 2 if _NARROW.search(body.replace("uchar*>(emulated_dynamic_shared", "")) else 4
        table.append(_entry(kernel, dynamic, waits, granule))
    parts.append(source[at:])
    return "".join(parts) + _table(table)


def _collective_functions(source: str) -> set[str]:
    """The device functions in which threads wait for each other, directly or through others."""
    bodies = {}
    for found in _DEVICE_FUNCTION.finditer(source):
        end = closing(source, found.end() - 1)
        if (body := re.compile(r"\s*\{").match(source, end + 1)) is not None:
            bodies[found.group(1)] = source[body.end() : closing(source, body.end() - 1)]
    found_names = {name for name, body in bodies.items() if _COLLECTIVE.search(body)}
    while more := {
        name for name, body in bodies.items() if name not in found_names and found_names & set(re.findall(r"\w+", body))
    }:
        found_names |= more
    return found_names


def _place_shared(name: str, body: str) -> tuple[str, str, bool]:
    """A struct of a kernel's static shared arrays, its body with references to them, whether it has a dynamic one."""
    members: list[str] = []
    dynamic = False

    def place(found: re.Match[str]) -> str:
        nonlocal dynamic
        external, alignment, kind, array, extents = found.groups()
        if external:
            dynamic = True
            start = f"emulated_dynamic_shared({name}__shared_bytes)"
            return f"auto* const {array} = reinterpret_cast<{kind.strip()}*>({start});"
        member = f"m{len(members)}_{array}"
        members.append(f"{alignment} {kind}{member}{extents};")
        return f"auto& {array} = reinterpret_cast<{name}__shared*>(emulated_shared)->{member};"

    body = _SHARED.sub(place, body)
    if "__shared__" in body:
        raise ValueError(f"kernel {name} declares shared memory in a way that is not known")
    layout = f"struct {name}__shared {{ {' '.join(members)} }}; " if members else ""
    size = f"sizeof({name}__shared)" if members else "0"
    return f"{layout}enum : unsigned {{ {name}__shared_bytes = {size} }}; ", body, dynamic


def _entry(kernel: Kernel, dynamic: bool, waits: bool, granule: int) -> tuple[str, str]:
    name = kernel.name
    values = [
        f"*static_cast<std::remove_reference_t<{kind}>*>(arguments[{i}])"
        for i, (kind, _) in enumerate(kernel.parameters)
    ]
    described = [f'{{"{parameter}", sizeof({kind}), {int("*" in kind)}}}' for kind, parameter in kernel.parameters] or [
        "{}"
    ]
    code = (
        f"EMULATED_UNCHECKED static void {name}__enter(void** arguments) {{ {name}({', '.join(values)}); }}\n"
        f"static const EmulatedArgument {name}__arguments[] = {{{', '.join(described)}}};\n"
    )
    row = (
        f'{{"{name}", {name}__enter, {name}__arguments, {len(kernel.parameters)}, '
        f"{name}__shared_bytes, {int(dynamic)}, {int(waits)}, {kernel.max_threads}, {granule}}}"
    )
    return code, row


def _table(entries: list[tuple[str, str]]) -> str:
    rows = ",\n".join(row for _, row in entries) or "{}"
    return (
        "\n" + "".join(code for code, _ in entries) + f"const EmulatedKernel emulated_kernels[] = {{\n{rows}}};\n"
        f"const uint32_t emulated_kernel_count = {len(entries)};\n"
    )
